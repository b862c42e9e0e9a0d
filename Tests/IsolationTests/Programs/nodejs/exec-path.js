console.log(process.execPath, process.version, process.versions.v8, process.release.name);
