console.log(process.eventNames().sort(), process.listenerCount("exit"), process.listenerCount("SIGINT"));
