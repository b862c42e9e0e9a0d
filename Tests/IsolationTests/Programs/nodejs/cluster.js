const c = require("cluster"); if (c.isPrimary) { c.fork(); c.on("exit", (w, code) => console.log("worker", code)); } else process.exit(6);
