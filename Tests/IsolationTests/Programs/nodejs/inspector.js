console.log(require("inspector").url());
