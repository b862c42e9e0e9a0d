console.log(process.sourceMapsEnabled);
