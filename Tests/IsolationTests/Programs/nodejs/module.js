console.log(__filename, __dirname, module.id, module.filename, module.loaded, module.parent, module.children.length, module.paths);
