require("child_process").spawnSync("echo", ["inherited"], { stdio: "inherit" }); console.log("after");
