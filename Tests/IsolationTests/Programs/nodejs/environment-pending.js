// env: NODE_PENDING_DEPRECATION=1
new Buffer(2);
