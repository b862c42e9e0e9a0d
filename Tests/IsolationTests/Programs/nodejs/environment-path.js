// env: NODE_PATH=/tmp/modules
console.log(require("module").globalPaths);
