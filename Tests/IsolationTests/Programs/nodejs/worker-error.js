const { Worker } = require("worker_threads"); new Worker("throw new Error('in worker')", { eval: true }).on("error", (e) => console.log(e.message));
