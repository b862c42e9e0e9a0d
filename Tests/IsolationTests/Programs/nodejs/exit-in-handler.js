process.on("uncaughtException", (e, o) => { console.log(e.message, o); process.exit(4); }); throw new Error("x");
