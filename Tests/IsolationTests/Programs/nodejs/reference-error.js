console.log(a); let a = 1;
