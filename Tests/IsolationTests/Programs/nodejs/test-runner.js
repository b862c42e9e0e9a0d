require("node:test")("adds", () => require("assert").equal(1 + 1, 2));
