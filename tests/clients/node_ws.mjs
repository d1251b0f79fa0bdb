// The main job with Node's `ws` and Node's own fetch.
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import WebSocket from 'ws';
import { job } from './job.mjs';

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const { OFFHOOK_URL: url, OFFHOOK_WORKSPACE: workspace, OFFHOOK_TOKEN: token } = process.env;

// What a browser's EventSource does, in a few lines: read, and come back with the last id.
async function openEvents(address, each) {
  let last;
  for (;;) {
    try {
      const headers = last === undefined ? {} : { 'Last-Event-ID': last };
      const response = await fetch(address, { headers });
      let rest = '';
      for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
        rest += chunk;
        for (let end; (end = rest.indexOf('\n\n')) >= 0; rest = rest.slice(end + 2)) {
          const fields = {};
          for (const line of rest.slice(0, end).split('\n')) {
            const colon = line.indexOf(': ');
            if (colon > 0) fields[line.slice(0, colon)] = line.slice(colon + 2);
          }
          if (fields.id !== undefined) last = fields.id;
          if (fields.data !== undefined) each(fields);
        }
      }
    } catch {
      // The connection broke: come back.
    }
    await new Promise((done) => setTimeout(done, 100));
  }
}

async function restartServer() {
  console.log('kill');
  await lines.next();
}

const texts = JSON.parse(readFileSync(new URL('texts.json', import.meta.url), 'utf8'));
await job({ WebSocket, fetch, openEvents, url, workspace, token, texts, restartServer });
console.log('done');
process.exit(0);
