// stdin: to the child
console.log(require("child_process").spawnSync("cat", { stdio: ["inherit", "pipe", "inherit"] }).stdout.toString());
