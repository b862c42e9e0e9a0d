const e = new (require("events"))(); e.once("x", (v) => console.log(v)); e.emit("x", 1); console.log(e.emit("x", 2)); e.emit("error", new Error("unheard"));
