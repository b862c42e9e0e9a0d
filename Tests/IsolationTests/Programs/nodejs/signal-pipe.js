process.kill(process.pid, "SIGPIPE"); setTimeout(() => console.log("ignored"), 5);
