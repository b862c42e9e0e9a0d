const e = new (require("events"))(); for (let i = 0; i < 11; i++) e.on("x", () => {});
