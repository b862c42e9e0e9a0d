process.env.NEW = 5; delete process.env.HOME; console.log(require("child_process").execSync("echo $NEW-$HOME").toString());
