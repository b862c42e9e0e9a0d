if (!global.once) { global.once = true; console.log(require("./main.js")); } exports.x = 1;
