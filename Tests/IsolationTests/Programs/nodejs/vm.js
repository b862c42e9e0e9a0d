console.log(require("vm").runInNewContext("a + 1", { a: 1 }), require("vm").runInThisContext("typeof require"));
