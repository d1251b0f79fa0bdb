// A shop's pages with the messenger on them, of another origin than the server and as strict as pages can be, and who is there.
import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import { tab as opened, context as plain, url, workspace } from './pages.mjs';

const { OFFHOOK_CUSTOMER_SECRET: secret } = process.env;

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

/** Somebody's browser, which knows when the messenger can be used. */
export async function context(options) {
  const made = await plain(options);
  await made.addInitScript(() => {
    const waits = () => {
      if (document.querySelector('offhook-messenger')?.shadowRoot?.querySelector('.launcher')) window.usableAt = performance.now();
      else requestAnimationFrame(waits);
    };
    waits();
  });
  return made;
}

export async function tab(context, query, address = shop(query)) {
  const page = await opened(context, address);
  await page.locator('.launcher').waitFor();
  return page;
}

/** The class of what has the focus in the messenger, or else its tag. */
export const focused = (page) =>
  page.evaluate(() => {
    const inside = document.activeElement?.shadowRoot?.activeElement;
    return inside?.className || inside?.tagName;
  });
export const texts = (page) => page.locator('.message .text').allTextContents();
export const write = async (page, text) => {
  await page.locator('textarea[enterkeyhint]').fill(text);
  await page.locator('textarea[enterkeyhint]').press('Enter');
};
