console.log(Object.keys(require.cache), require.resolve.paths("x"));
