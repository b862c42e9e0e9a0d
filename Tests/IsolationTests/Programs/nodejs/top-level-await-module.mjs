const x = await Promise.resolve("awaited"); console.log(x, import.meta.url, typeof require, this);
