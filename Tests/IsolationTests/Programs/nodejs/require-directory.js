const fs = require("fs"); fs.mkdirSync("node_modules/pkg", { recursive: true }); fs.writeFileSync("node_modules/pkg/index.js", "module.exports = 'pkg'"); console.log(require("pkg"));
