console.log(require("fs").openSync("x", "w") > 2);
