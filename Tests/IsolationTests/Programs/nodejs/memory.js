console.log(require("v8").getHeapStatistics().heap_size_limit > 1e7, process.memoryUsage().rss > 1e6);
