console.log(arguments.callee.toString().slice(0, 60));
