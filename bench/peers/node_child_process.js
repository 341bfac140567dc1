#!/usr/bin/env node
// Node child_process.spawn: three pipes by default, 'close' when the process has ended and its output was read.
'use strict';
const { spawn } = require('child_process');
const { once } = require('events');

const [scenario, inFlight, count, bytes] = [process.argv[2], ...process.argv.slice(3, 6).map(Number)];
const [program, ...args] = process.argv.slice(6);
const now = () => Number(process.hrtime.bigint()) / 1e3;

function report(rate, latencies = [], share = 1) {
  latencies.sort((a, b) => a - b);
  const at = (part) => latencies[Math.floor(latencies.length * part)] || 0;
  console.log(JSON.stringify({ rate, p50_us: at(0.5), p99_us: at(0.99), share }));
}

async function spawnMany() {
  const latencies = [];
  let left = count;
  const worker = async () => {
    while (left-- > 0) {
      const began = now();
      const child = spawn(program, args);
      child.stdin.end();
      child.stdout.resume();
      child.stderr.resume();
      await once(child, 'close');
      latencies.push(now() - began);
    }
  };
  const began = now();
  await Promise.all(Array.from({ length: inFlight }, worker));
  report(count / (now() - began) * 1e6, latencies);
}

async function roundTrips() {
  const latencies = [], block = Buffer.alloc(bytes);
  let left = count;
  const children = Array.from({ length: inFlight }, () => spawn(program, args));
  const echo = (child) => new Promise((done) => {
    let rounds = 0, missing = 0, began = 0;
    const next = () => {
      if (left-- <= 0) return done(rounds);
      missing = bytes;
      began = now();
      child.stdin.write(block);
    };
    child.stdout.on('data', (chunk) => {
      missing -= chunk.length;
      if (missing > 0) return;
      latencies.push(now() - began);
      ++rounds;
      next();
    });
    next();
  });
  const began = now();
  const rounds = await Promise.all(children.map(echo));
  const rate = count / (now() - began) * 1e6;
  for (const child of children) child.stdin.end();
  report(rate, latencies, Math.max(...rounds) / Math.max(Math.min(...rounds), 1));
}

async function stream() {
  const began = now(), child = spawn(program, args), block = Buffer.alloc(65536);
  child.stdout.resume();
  child.stderr.resume();
  const closed = once(child, 'close');
  for (let left = scenario === 'read' ? 0 : bytes; left > 0; left -= block.length) {
    if (!child.stdin.write(block.subarray(0, left))) await once(child.stdin, 'drain');
  }
  child.stdin.end();
  await closed;
  report(bytes / (now() - began) * 1e6);
}

const scenarios = { spawn: spawnMany, round: roundTrips, read: stream, write: stream, both: stream };
if (!(scenario in scenarios)) process.exit(3);
scenarios[scenario]();
