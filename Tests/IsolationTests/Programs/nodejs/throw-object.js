throw { code: 1, toString() { return "o"; } };
