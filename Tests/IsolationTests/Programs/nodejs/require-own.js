require("fs").writeFileSync("other.js", "exports.v = 7; exports.parent = module.parent.id;"); console.log(require("./other"));
