require("timers/promises").setTimeout(1, "v").then(console.log);
