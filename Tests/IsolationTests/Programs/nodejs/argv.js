// args: a -x --y=z $HOME --inspect
console.log(process.argv, process.execArgv, process.argv0, process.title);
