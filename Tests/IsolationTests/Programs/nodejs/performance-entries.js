console.log(performance.getEntries().map((e) => e.name));
