process.on("SIGINT", () => { console.log("int"); process.exit(1); }); process.kill(process.pid, "SIGINT"); setTimeout(() => {}, 1000);
