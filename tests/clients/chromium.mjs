// The main job in a page, with Chromium's own WebSocket, fetch and EventSource: driven by Playwright, served from loopback.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const { OFFHOOK_URL: url, OFFHOOK_WORKSPACE: workspace, OFFHOOK_TOKEN: token } = process.env;
const file = (name) => readFileSync(new URL(name, import.meta.url));

const pages = createServer((request, response) => {
  const script = request.url === '/job.mjs';
  response.setHeader('Content-Type', script ? 'text/javascript; charset=utf-8' : 'text/html; charset=utf-8');
  response.end(script ? file('job.mjs') : '<!doctype html><title>offhook</title>');
});
await new Promise((done) => pages.listen(0, '127.0.0.1', done));

const browser = await chromium.launch({
  executablePath: process.env.OFFHOOK_CHROMIUM ?? '/usr/bin/chromium',
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
const page = await browser.newPage();
page.on('console', (message) => console.error(`page: ${message.text()}`));
page.on('pageerror', (error) => console.error(`page: ${error.stack}`));
await page.exposeFunction('restartServer', async () => {
  console.log('kill');
  await lines.next();
});
await page.goto(`http://127.0.0.1:${pages.address().port}/`);
const failed = await page.evaluate(
  async ({ url, workspace, token, texts }) => {
    const { job } = await import('/job.mjs');
    const names = ['opened', 'message', 'joined', 'requeued', 'ended', 'reopened', 'state', 'read', 'typing'];
    const openEvents = (address, each) => {
      const source = new EventSource(address);
      let last = '';
      for (const event of names) {
        source.addEventListener(event, ({ data, lastEventId }) => {
          // The browser gives each event the last id; only one that moves it is numbered.
          const id = lastEventId !== last ? lastEventId : undefined;
          last = lastEventId;
          each({ event, data, id });
        });
      }
    };
    try {
      await job({ WebSocket, fetch: fetch.bind(window), openEvents, url, workspace, token, texts, restartServer });
    } catch (error) {
      return error.stack;
    }
  },
  { url, workspace, token, texts: JSON.parse(file('texts.json')) },
);
await browser.close();
pages.close();
if (failed) {
  console.error(failed);
  process.exit(1);
}
console.log('done');
process.exit(0);
