// stdin: for await
(async () => { for await (const c of process.stdin) console.log(c.toString()); })();
