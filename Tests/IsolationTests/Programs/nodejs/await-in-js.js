console.log(await Promise.resolve(1));
