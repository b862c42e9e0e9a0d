require("fs").unlinkSync(__filename); console.log(require("fs").existsSync("main.js"));
