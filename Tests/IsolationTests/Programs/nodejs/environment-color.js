// env: FORCE_COLOR=1
console.log({ a: 1 }); console.log(process.stdout.hasColors ? 1 : 0);
