// env: GREETING=hello EMPTY= SPACED=a=b
console.log(process.env.GREETING, JSON.stringify(process.env.EMPTY), process.env.SPACED, require("child_process").execSync("printenv GREETING").toString());
