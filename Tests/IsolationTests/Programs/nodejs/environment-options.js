// env: NODE_OPTIONS=--throw-deprecation
console.log(process.throwDeprecation, process.execArgv); new Buffer(1);
