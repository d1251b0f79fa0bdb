// What tests/clients/messenger_page.mjs stands on: a shop's pages, of another origin than the server and as strict as pages can be, a browser,
// and what is asked of a page.
import { createHmac, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

const { OFFHOOK_ADMIN: admin, OFFHOOK_PICTURES: pictures, OFFHOOK_CUSTOMER_SECRET: secret } = process.env;
export const { OFFHOOK_URL: url, OFFHOOK_WORKSPACE: workspace } = process.env;
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
mkdirSync(pictures, { recursive: true });

export function check(holds, what) {
  if (!holds) throw new Error(what);
}

/** Changes members of a queue, or of the settings. */
export async function put(path, change) {
  const address = `${url}/v1/workspaces/${workspace}/${path}`;
  const headers = { Authorization: `Bearer ${admin}`, 'Content-Type': 'application/json', 'Idempotency-Key': randomBytes(16).toString('hex') };
  const is = await (await fetch(address, { headers })).json();
  const answer = await fetch(address, { method: 'PUT', headers, body: JSON.stringify({ ...is, ...change }) });
  check(answer.ok, `${path}: ${await answer.text()}`);
}

/** What the administrator sees. */
export async function look(path) {
  const answer = await fetch(`${url}/v1/workspaces/${workspace}/${path}`, { headers: { Authorization: `Bearer ${admin}` } });
  check(answer.ok, `${path}: ${answer.status}`);
  return answer.json();
}

/** A token as the shop's backend signs it. */
export function customerToken() {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const now = Math.floor(Date.now() / 1_000);
  const signed = `${part({ alg: 'HS256', typ: 'JWT', kid: 'shop' })}.${part({ sub: '4711', name: 'Zoë', workspace, iat: now, exp: now + 3_600 })}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

/** `with`: how the messenger comes in; `pictures`: whether the page's policy has a place for them; every other name and value of the query becomes an
    attribute of the script tag. */
function html(query) {
  const kind = query.get('with');
  query.delete('with');
  query.delete('pictures');
  const attributes = [...query].map(([name, value]) => `${name}="${value}"`).join(' ');
  const tag = `<script src="${url}/messenger.js" data-workspace="${workspace}" ${attributes} ${kind === 'module' ? 'type="module"' : (kind ?? 'async')}></script>`;
  const own = `<script type="module" src="/element.js"></script>`;
  const element = `<offhook-messenger url="${url}" workspace="${workspace}" heading="Ask the shop"></offhook-messenger>`;
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>A shop</title>
    ${kind === 'known' ? '<script src="/own.js"></script>' : ''}${kind === 'element' ? own : tag}</head>
    <body><main><h1>A shop</h1><p>What it sells.</p></main>${kind === 'element' ? element : ''}</body></html>`;
}

const scripts = {
  '/own.js': () => `window.offhookToken = async () => ${JSON.stringify(customerToken())};`,
  '/element.js': () => `import '${url}/messenger.js';`,
};
const policy = `default-src 'none'; script-src 'self' ${url}; connect-src ${url}; style-src 'none'; base-uri 'none'; form-action 'none';
  require-trusted-types-for 'script'`.replace(/\n\s*/, ' ');
export const pages = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url, 'http://shop');
  const script = scripts[pathname];
  response.setHeader('Content-Type', script ? 'text/javascript; charset=utf-8' : 'text/html; charset=utf-8');
  response.setHeader('Content-Security-Policy', searchParams.has('pictures') ? `${policy}; img-src blob:` : policy);
  response.end(script ? script() : html(searchParams));
});
await new Promise((done) => pages.listen(0, '127.0.0.1', done));
const shop = (query = {}) => `http://127.0.0.1:${pages.address().port}/?${new URLSearchParams(query)}`;

export const browser = await chromium.launch({
  executablePath: process.env.OFFHOOK_CHROMIUM ?? '/usr/bin/chromium',
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});

/** What no page may have said: an error, or that its policy was broken. */
export const complaints = [];
export async function context(options = {}) {
  const made = await browser.newContext({ locale: 'en-GB', reducedMotion: 'reduce', ...options });
  made.setDefaultTimeout(30_000);
  await made.addInitScript(() => {
    const waits = () => {
      if (document.querySelector('offhook-messenger')?.shadowRoot?.querySelector('.launcher')) window.usableAt = performance.now();
      else requestAnimationFrame(waits);
    };
    waits();
    document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => console.error(`policy: ${violatedDirective} ${blockedURI}`));
    window.alert = () => console.error('a message was run');
  });
  return made;
}

export async function tab(context, query, address = shop(query)) {
  const page = await context.newPage();
  page.on('pageerror', (error) => complaints.push(error.stack));
  page.on('console', (message) => {
    // That a server is away is what this is about.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) complaints.push(message.text());
  });
  await page.goto(address);
  await page.locator('.launcher').waitFor();
  return page;
}

/** The class of what has the focus in the messenger, or else its tag. */
export const focused = (page) =>
  page.evaluate(() => {
    const inside = document.activeElement?.shadowRoot?.activeElement;
    return inside?.className || inside?.tagName;
  });
export const says = (page, selector, text) => page.locator(selector, { hasText: text }).first().waitFor();
export const texts = (page) => page.locator('.message .text').allTextContents();
export const write = async (page, text) => {
  await page.locator('textarea[enterkeyhint]').fill(text);
  await page.locator('textarea[enterkeyhint]').press('Enter');
};

export async function accessible(page, where) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] }));
  const told = violations.map(({ id, impact, nodes }) => `${id} (${impact}): ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join('; ')}`);
  check(told.length === 0, `axe, ${where}: ${told.join('\n')}`);
}

export const picture = (page, name) => page.screenshot({ path: `${pictures}/${name}.png` });
