module.exports = {}; export const a = 1;
