console.log(structuredClone({ a: new Date(0), b: new Map([[1, 2]]) }), queueMicrotask(() => console.log("micro")));
