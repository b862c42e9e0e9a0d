const u = require("util"); console.log(u.inspect(new Proxy({}, {})), u.types.isPromise(Promise.resolve()), u.format("%s", "x"), u.inspect.defaultOptions);
