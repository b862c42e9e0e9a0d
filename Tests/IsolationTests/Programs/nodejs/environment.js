console.log(Object.keys(process.env).filter((k) => k !== "HOSTNAME").sort(), process.env.HOME, process.env.PATH);
