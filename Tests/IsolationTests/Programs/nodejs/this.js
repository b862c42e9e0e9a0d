console.log(this === module.exports, globalThis === global, arguments.length, typeof require);
