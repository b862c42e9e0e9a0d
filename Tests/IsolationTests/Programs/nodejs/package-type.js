console.log(require("module").builtinModules.length > 50, require("module").globalPaths);
