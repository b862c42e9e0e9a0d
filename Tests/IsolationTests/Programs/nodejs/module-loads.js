console.log(process.moduleLoadList.length > 10);
