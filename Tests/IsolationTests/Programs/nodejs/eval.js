console.log(eval("1+1"), new Function("return 2")(), (0, eval)("typeof module"));
