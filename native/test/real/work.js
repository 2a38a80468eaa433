// SPDX-License-Identifier: MIT
//
// work.js DIR STEPS: Node.js with worker threads, a child process over IPC, and an HTTP server with a client that keeps its connection.
'use strict';
const { Worker, isMainThread, parentPort } = require('worker_threads');
const { fork } = require('child_process');
const crypto = require('crypto');
const fs = require('fs');
const http = require('http');
const path = require('path');

const digest = (n) => crypto.createHash('sha256').update(String(n).repeat(500)).digest('hex');

if (!isMainThread) {
  parentPort.on('message', (n) => parentPort.postMessage([n, digest(n)]));
} else if (process.argv[2] === 'child') {
  process.on('message', (n) => process.send([n, digest(n)]));
} else {
  main(process.argv[2], Number(process.argv[3]));
}

function ask(target, send, n) {
  return new Promise((resolve, reject) => {
    target.once('message', ([m, d]) => (m === n && d === digest(n) ? resolve() : reject(new Error(`wrong answer for ${n}`))));
    target[send](n);
  });
}

function get(agent, port, n) {
  return new Promise((resolve, reject) => {
    http.get({ agent, port, host: '127.0.0.1', path: `/${n}` }, (response) => {
      let body = '';
      response.on('data', (part) => { body += part; });
      response.on('end', () => (body === digest(n) ? resolve() : reject(new Error(`wrong page for ${n}`))));
    }).on('error', reject);
  });
}

async function main(dir, steps) {
  let result = 'PASS\n';
  const workers = [new Worker(__filename), new Worker(__filename)];
  const child = fork(__filename, ['child']);
  const server = http.createServer((request, response) => response.end(digest(request.url.slice(1))));
  try {
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    for (let step = 1; step <= steps; step++) {
      await Promise.all([...workers.map((w, i) => ask(w, 'postMessage', step * 10 + i)), ask(child, 'send', step * 10 + 7),
        get(agent, server.address().port, step)]);
      fs.appendFileSync(path.join(dir, 'progress'), `${step}\n`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    agent.destroy();
  } catch (e) {
    result = `${e.stack}\n`;
  }
  workers.forEach((w) => w.terminate());
  child.disconnect();
  server.close();
  fs.writeFileSync(path.join(dir, 'result'), result);
}
