console.log(require("os").cpus().length === require("os").availableParallelism(), require("os").tmpdir(), require("os").homedir(), require("os").userInfo().username);
