console.log(require("child_process").execFileSync(process.execPath, ["-e", "console.log(process.argv.length, process.execArgv, process.env.SOULBOX_PRESTART)"]).toString());
