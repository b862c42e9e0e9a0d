'use strict';
// A JavaScript interpreter whose variables last: runs one cell after the other in the same scope.
//
// A line on standard input names a directory with the cell: `code`, and four FIFOs. Output goes to `out` and `err`, rich
// results to `results` as lines of JSON, and closing `done` says that the cell has ended. SIGINT interrupts a cell.
const fs = require('fs');
const path = require('path');
const readline = require('readline');
const repl = require('repl');
const util = require('util');
const { PassThrough } = require('stream');

const limit = 8 << 20;
let current = null;

function write(descriptor, data) {
  const bytes = Buffer.isBuffer(data) ? data : Buffer.from(data);
  for (let done = 0; done < bytes.length;) {
    try {
      done += fs.writeSync(descriptor, bytes, done);
    } catch (error) {
      if (error.code === 'EAGAIN') continue;
      // Nobody waits for this cell any more.
      return;
    }
  }
}

function send(message) {
  if (!current) return;
  const line = JSON.stringify(message) + '\n';
  current.sent += line.length;
  if (current.sent <= limit) return write(current.results, line);
  if (!current.isTruncated) write(current.results, '{"type":"truncated"}\n');
  current.isTruncated = true;
}

for (const [name, end] of [['stdout', 'out'], ['stderr', 'err']]) {
  process[name].write = (chunk, encoding, callback) => {
    if (current) write(current[end], typeof chunk === 'string' ? Buffer.from(chunk, typeof encoding === 'string' ? encoding : 'utf8') : chunk);
    const done = typeof encoding === 'function' ? encoding : callback;
    if (done) process.nextTick(done);
    return true;
  };
}

function bundle(value) {
  const data = { 'text/plain': util.inspect(value, { depth: 4, maxArrayLength: 200 }) };
  if (value && typeof value === 'object') {
    for (const [method, kind] of [['toHTML', 'text/html'], ['toSVG', 'image/svg+xml'], ['toPNG', 'image/png']]) {
      try {
        if (typeof value[method] !== 'function') continue;
        const shown = value[method]();
        data[kind] = Buffer.isBuffer(shown) ? shown.toString('base64') : String(shown);
      } catch { /* A representation that fails is none. */ }
    }
    try {
      const json = JSON.stringify(value);
      if (json !== undefined && json.length < 1 << 20) data['application/json'] = JSON.parse(json);
    } catch { /* Cyclic, or with a BigInt. */ }
  }
  return data;
}

// The language's own interactive interpreter: `const` and `let` of one cell are there in the next, and `await` works.
const server = repl.start({
  prompt: '', input: new PassThrough(), output: new PassThrough(), terminal: false, useGlobal: true,
  breakEvalOnSigint: true, ignoreUndefined: true,
});
server.context.display = (...values) => values.forEach((value) => send({ type: 'result', main: false, data: bundle(value) }));
server.context.require = require('module').createRequire('/workspace/');
// What a program throws where nobody waits for it ends the cell with an error, and not the context.
let fail = null;
server._domain.removeAllListeners('error');
server._domain.on('error', (error) => (fail ? fail(error) : undefined));
process.on('uncaughtException', (error) => (fail ? fail(error) : undefined));
process.on('unhandledRejection', (error) => (fail ? fail(error) : undefined));
const interrupted = () => (fail ? fail(new Error('interrupted')) : undefined);
process.on('SIGINT', interrupted);

function evaluate(code, name) {
  return new Promise((resolve, reject) => {
    fail = reject;
    // While a script runs Node watches for the signal itself; a listener of ours that it took away at that moment would
    // leave the signal's default, which ends the process.
    process.removeListener('SIGINT', interrupted);
    server.eval(code, server.context, name, (error, value) => (error ? reject(error) : resolve(value)));
    process.on('SIGINT', interrupted);
  });
}

async function cell(directory, number) {
  const open = (name) => fs.openSync(path.join(directory, name), 'w');
  current = { out: open('out'), err: open('err'), results: open('results'), done: open('done'), sent: 0 };
  const ends = current;
  let isGood = true;
  try {
    const code = fs.readFileSync(path.join(directory, 'code'), 'utf8');
    const value = await evaluate(code, `<cell ${number}>`);
    if (value !== undefined) send({ type: 'result', main: true, data: bundle(value) });
  } catch (caught) {
    isGood = false;
    const error = caught instanceof Error || (caught && caught.stack) ? caught : new Error(util.inspect(caught));
    const trace = String(error.stack || error).split('\n').filter((line) => !/\(?node:|context\.js/.test(line)).join('\n');
    process.stderr.write(trace + '\n');
    send({ type: 'error', name: String(error.name || 'Error'), value: String(error.message), traceback: trace });
  }
  fail = null;
  send({ type: 'end', ok: isGood });
  // Whoever dies before this has not ended its cell.
  write(ends.done, '.');
  current = null;
  for (const end of ['out', 'err', 'results', 'done']) fs.closeSync(ends[end]);
}

let number = 0;
let line = Promise.resolve();
readline.createInterface({ input: fs.createReadStream(null, { fd: 0 }), terminal: false }).on('line', (directory) => {
  number += 1;
  const own = number;
  line = line.then(() => cell(directory, own));
}).on('close', () => line.then(() => process.exit(0)));
