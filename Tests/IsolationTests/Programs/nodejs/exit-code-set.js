process.exitCode = 5; process.on("exit", (c) => console.log("exit", c));
