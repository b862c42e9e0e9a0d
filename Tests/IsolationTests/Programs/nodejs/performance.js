console.log(performance.now() >= 0, performance.timeOrigin > 0, process.uptime() >= 0, process.hrtime().length);
