import x from "./none.mjs";
