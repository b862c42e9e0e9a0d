(async () => { await new Promise(() => {}); })(); console.log("ends");
