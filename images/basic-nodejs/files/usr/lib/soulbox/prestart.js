// Waits, before the main module is looked for, for what this process is to run.
//
// SoulBox starts `node main.js` with this file as --require before it knows what main.js will hold. It says on descriptor
// 5 that it waits, and reads the arguments and the environment of the program from descriptor 4. Then it takes every trace
// of itself away, and Node.js goes on by itself.
'use strict';

if (process.env.SOULBOX_PRESTART) {
  const fs = require('fs');
  // What the first line of output and the first module need is loaded, and compiled, by using it once.
  const { Console } = require('console');
  const { Writable } = require('stream');
  require('net');
  require('tty');
  const nowhere = new Writable({ write(chunk, encoding, done) { done(); } });
  new Console(nowhere).log('%s', 1, { text: ['a', 1], map: new Map() });
  const other = require.resolve('./empty.js');
  require(other);
  delete require.cache[other];
  fs.writeSync(5, 'R');
  let data = Buffer.alloc(0);
  let size = 4;
  while (data.length < size) {
    const chunk = Buffer.alloc(1 << 17);
    const count = fs.readSync(4, chunk);
    // Nobody is left who could have work.
    if (count === 0) process.reallyExit(0);
    data = Buffer.concat([data, chunk.subarray(0, count)]);
    if (size === 4 && data.length >= 4) size = 4 + data.readUInt32LE(0);
  }
  fs.closeSync(4);
  fs.closeSync(5);
  const strings = data.subarray(4).toString().split('\0').slice(0, -1);
  const count = Number(strings[0]);
  for (const name of Object.keys(process.env)) delete process.env[name];
  for (const variable of strings.slice(count + 1)) {
    const end = variable.indexOf('=');
    process.env[variable.slice(0, end)] = variable.slice(end + 1);
  }
  process.argv.push(...strings.slice(1, count + 1));
}

// In workers and forked processes too, which inherit the option.
const own = process.execArgv.indexOf(__filename);
if (own > 0) process.execArgv.splice(own - 1, 2);
process._preload_modules.length = 0;
delete require.cache[__filename];
