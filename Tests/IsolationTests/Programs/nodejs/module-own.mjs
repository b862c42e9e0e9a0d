import { writeFileSync } from "fs"; writeFileSync("b.mjs", "export const v = 3; export default class {}"); const m = await import("./b.mjs"); console.log(m.v, m.default.name, m);
