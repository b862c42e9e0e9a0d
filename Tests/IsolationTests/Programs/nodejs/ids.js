console.log(process.getuid(), process.getgid(), process.getgroups(), process.cwd(), process.umask(), process.ppid);
