// The client library of web/client in Chromium, with the browser's own locks, channels, storage and sockets: two tabs of an agent, one of a
// customer. The server is killed, the tab that has the connection is closed, the customer's page is loaded anew.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const { OFFHOOK_URL: url, OFFHOOK_WORKSPACE: workspace, OFFHOOK_TOKEN: token, OFFHOOK_LIBRARY: library } = process.env;

const pages = createServer((request, response) => {
  const script = request.url.startsWith('/src/');
  response.setHeader('Content-Type', script ? 'text/javascript; charset=utf-8' : 'text/html; charset=utf-8');
  response.end(script ? readFileSync(library + request.url) : '<!doctype html><title>offhook</title>');
});
await new Promise((done) => pages.listen(0, '127.0.0.1', done));

const browser = await chromium.launch({
  executablePath: process.env.OFFHOOK_CHROMIUM ?? '/usr/bin/chromium',
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
const context = await browser.newContext();

// A tab with one client, and `until` for what it shows.
async function tab(kind, options) {
  const page = await context.newPage();
  page.on('pageerror', (error) => console.error(`page: ${error.stack}`));
  const load = async () => {
    await page.goto(`http://127.0.0.1:${pages.address().port}/`);
    await page.evaluate(
      async ({ kind, options }) => {
        const { AgentClient, MessengerClient } = await import('/src/index.js');
        window.client = kind === 'agent' ? new AgentClient(options) : new MessengerClient(options);
        window.until = (wanted) =>
          new Promise((done, fail) => {
            if (wanted(client.state)) return done();
            setTimeout(() => fail(new Error(`did not come: ${wanted}; ${JSON.stringify(client.state).slice(0, 2000)}`)), 30_000);
            client.subscribe((state) => wanted(state) && done());
          });
        await client.connect();
      },
      { kind, options },
    );
  };
  await load();
  return { page, load, does: (deed, ...words) => page.evaluate(deed, ...words) };
}

function check(holds, what) {
  if (!holds) throw new Error(what);
}

const [first, second] = [await tab('agent', { url, token }), await tab('agent', { url, token })];
for (const one of [first, second]) await one.does(() => until(({ link }) => link.phase === 'live'));
check(await first.does(() => client.tabs.leads), 'the first tab leads');
check(!(await second.does(() => client.tabs.leads)), 'the second follows');
await second.does(() => client.setStatus('available', ['chat']));
await first.does(() => until(({ status }) => status === 'available'));

const customer = await tab('customer', { url, workspace });
await customer.does(() => client.start({ text: 'q', name: 'Zoë 🙂' }));
await customer.does(() => until(({ stale }) => !stale));
const id = await customer.does(() => client.state.conversation.conversation);
await first.does(async () => {
  await until(({ offers }) => Object.keys(offers).length === 1);
  await client.delivered(Object.keys(client.state.offers)[0]);
});
await second.does(async () => {
  await until(({ offers }) => Object.values(offers)[0]?.delivered);
  const [offer] = Object.values(client.state.offers);
  if (!(offer.ends_at > client.now() && offer.conversation.name === 'Zoë 🙂')) throw new Error(JSON.stringify(offer));
  await client.accept(offer.offer);
});
for (const one of [first, second]) await one.does((id) => until(({ conversations }) => conversations[id]?.state === 'active'), id);
await second.does((id) => client.open(id), id);
await first.does((id) => client.send(id, 'from the first tab'), id);
await second.does((id) => client.send(id, 'from the second tab'), id);

// Killed under what both tabs write, and the customer.
for (const one of [first, second]) {
  await one.does((id) => {
    for (let nth = 0; nth < 5; nth++) client.send(id, `agent ${nth}`);
  }, id);
}
await customer.does(() => void [0, 1, 2].map((nth) => client.send(`customer ${nth}`)));
console.log('kill');
await lines.next();
await customer.does(() => void client.send('customer 3'));
const all = 1 + 2 + 10 + 4;
for (const one of [first, second]) {
  await one.does(([id, all]) => until(({ threads, pending }) => threads[id]?.messages.length === all && pending.length === 0), [id, all]);
}

// The tab that has the connection is closed: the other goes on.
await first.page.close();
await second.does(() => until(({ link, stale }) => client.tabs.leads && link.phase === 'live' && !stale));
await second.does((id) => client.send(id, 'the last'), id);
check((await second.does(() => client.state.status)) === 'available', 'nobody chose another status');

// The customer's page is loaded anew: it shows what it knew, and then goes on.
await customer.does((all) => until(({ messages }) => messages.length === all + 1), all);
await customer.load();
await customer.does((all) => until(({ messages, stale }) => !stale && messages.length === all + 1), all);
const texts = await customer.does(() => client.state.messages.map(({ text }) => text));
const once = ['q', 'from the first tab', 'from the second tab', 'customer 0', 'customer 1', 'customer 2', 'customer 3', 'the last'];
check(once.every((text) => texts.filter((one) => one === text).length === 1), `each once: ${texts}`);
for (let nth = 0; nth < 5; nth++) check(texts.filter((one) => one === `agent ${nth}`).length === 2, `each tab's once: ${texts}`);
await second.does((id) => client.close(id), id);
await customer.does(() => until(({ conversation }) => conversation.state === 'closed'));

await browser.close();
pages.close();
console.log('done');
process.exit(0);
