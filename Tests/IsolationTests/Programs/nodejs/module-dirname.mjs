console.log(import.meta.dirname, import.meta.filename, import.meta.resolve("./x.js"));
