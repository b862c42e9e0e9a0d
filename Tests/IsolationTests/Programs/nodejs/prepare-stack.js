Error.prepareStackTrace = (e, s) => s.map((c) => c.getFunctionName()); function named() { return new Error("x").stack; } console.log(named());
