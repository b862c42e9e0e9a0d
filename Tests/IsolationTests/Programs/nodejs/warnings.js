process.emitWarning("careful", "CustomWarning", "C1"); new Buffer(1);
