process.on("unhandledRejection", (r) => console.log("handler", r)); Promise.reject("r"); setTimeout(() => console.log("alive"), 5);
