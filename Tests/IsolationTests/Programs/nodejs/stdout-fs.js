const fs = require("fs"); fs.writeSync(1, "raw\n"); fs.writeFileSync("/dev/stdout", "device\n"); fs.writeSync(2, "raw err\n");
