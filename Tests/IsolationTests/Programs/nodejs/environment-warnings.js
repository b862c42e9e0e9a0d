// env: NODE_NO_WARNINGS=1
process.emitWarning("hidden");
