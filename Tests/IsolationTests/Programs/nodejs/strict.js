console.log((function () { return this === undefined; })());
