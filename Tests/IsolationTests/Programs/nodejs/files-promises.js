require("fs/promises").readFile(__filename, "utf8").then((t) => console.log(t.length));
