// env: NODE_DEBUG=timers
setTimeout(() => console.log("x"), 1);
