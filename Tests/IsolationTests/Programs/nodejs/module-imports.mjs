import fs, { readFileSync } from "node:fs"; import { createRequire } from "module"; const r = createRequire(import.meta.url); console.log(fs.readFileSync === readFileSync, typeof r("os").cpus);
