// What tests of the server's own pages stand on: a browser, people who are signed in, customers with and without a page, and what is asked of a page.
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

const { OFFHOOK_ADMIN: admin, OFFHOOK_PICTURES: pictures } = process.env;
export const { OFFHOOK_URL: url, OFFHOOK_WORKSPACE: workspace } = process.env;
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
mkdirSync(pictures, { recursive: true });

export function check(holds, what) {
  if (!holds) throw new Error(what);
}

const id = () => randomBytes(16).toString('hex');
const ASKED_MAX = 100;

/** Asks, and again with the same id when it is told to come later, or when the connection broke, as docs/wire.md says. */
async function asked(method, address, token, body) {
  const headers = { 'Content-Type': 'application/json', 'Idempotency-Key': id(), ...(token && { Authorization: `Bearer ${token}` }) };
  for (let times = 1; ; times++) {
    const answer = await fetch(address, { method, headers, ...(body && { body: JSON.stringify(body) }) }).catch(() => undefined);
    const later = !answer || answer.status === 503 || answer.status === 429;
    if (later && times < ASKED_MAX) {
      const { retry_after_ms: ms = 200 } = answer ? await answer.json() : {};
      await new Promise((done) => setTimeout(done, ms));
      continue;
    }
    check(answer, `${method} ${address}: no answer`);
    const text = await answer.text();
    check(answer.ok, `${method} ${address}: ${answer.status} ${text}`);
    return text ? JSON.parse(text) : undefined;
  }
}

/** A call of the admin API, which must be a good one. */
export const api = (method, path, body) => asked(method, `${url}/v1/workspaces/${workspace}/${path}`, admin, body);

/** Changes members of a queue, or of the settings. */
export const change = async (path, members) => api('PUT', path, { ...(await api('GET', path)), ...members });

/** A customer without a page: starts, and writes. */
export async function customer(text, more = {}) {
  const call = (path, body, token) => asked('POST', `${url}/v1/messenger/${workspace}${path}`, token, body);
  const { conversation, token } = await call('/conversations', { text, ...more });
  const own = `/conversations/${conversation.conversation}`;
  return {
    conversation: conversation.conversation,
    write: (text) => call(`${own}/messages`, { text }, token),
    typing: () => call(`${own}/typing`, {}, token),
  };
}

export const browser = await chromium.launch({
  executablePath: process.env.OFFHOOK_CHROMIUM ?? '/usr/bin/chromium',
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});

// What failed is seen best in what the pages showed then.
process.on('uncaughtException', async (error) => {
  console.error(error);
  for (const page of browser.contexts().flatMap((context) => context.pages())) {
    const said = await page.locator('body').innerText({ timeout: 2_000 }).catch(String);
    const active = await page.evaluate(() => document.activeElement?.outerHTML.slice(0, 200)).catch(String);
    console.error(`${page.url()} shows:\n${said.slice(0, 2_000)}\nwith the focus on ${active}\n`);
  }
  console.error(complaints.join('\n'));
  process.exit(1);
});

/** What no page may have said: an error, or that its policy was broken. */
export const complaints = [];
export async function context(options = {}) {
  const made = await browser.newContext({ locale: 'en-GB', reducedMotion: 'reduce', viewport: { width: 1280, height: 800 }, ...options });
  made.setDefaultTimeout(30_000);
  await made.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => console.error(`policy: ${violatedDirective} ${blockedURI}`));
    window.alert = () => console.error('a text was run');
  });
  return made;
}

export async function tab(context, address) {
  const page = await context.newPage();
  page.on('pageerror', (error) => complaints.push(error.stack));
  page.on('console', (message) => {
    // That a server is away is what this is about.
    const away = ['Failed to load resource', 'WebSocket connection to'].some((begin) => message.text().startsWith(begin));
    if (message.type() === 'error' && !away) complaints.push(message.text());
  });
  await page.goto(address);
  return page;
}

/** Somebody at a page of the desk, who came by a link with a token. */
export async function signedIn(context, kind, token) {
  const page = await tab(context, `${url}/signin/${workspace}/token?to=/${kind}/${workspace}#${token}`);
  await page.getByText('The link that you followed').waitFor();
  check(!page.url().includes('#'), `the token is not in the address any more: ${page.url()}`);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL(`${url}/${kind}/${workspace}`);
  return page;
}

/** A customer at the server's own page, who has told a name and asked something. */
export async function visitor(name, text, options) {
  const page = await tab(await context(options), `${url}/messenger/${workspace}`);
  await page.locator('.launcher').click();
  await page.locator('form:not(#contact) input[name=name]').fill(name);
  await page.locator('textarea[enterkeyhint]').fill(text);
  await page.locator('textarea[enterkeyhint]').press('Enter');
  return page;
}

export const says = (page, selector, text) => page.locator(selector, { hasText: text }).first().waitFor();
export const gone = (page, selector) => page.locator(selector).first().waitFor({ state: 'hidden' });
export const until = (page, what, given) => page.waitForFunction(what, given, { polling: 50 });

/** What a page has is asked in a world of its own, so that its policy stays as strict as it is. */
export async function accessible(page, where) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }));
  const counts = violations.filter(({ impact, tags }) => impact === 'serious' || impact === 'critical' || !tags.includes('best-practice'));
  const told = counts.map(({ id, impact, nodes }) => `${id} (${impact}): ${nodes.map(({ html, failureSummary }) => `${html.slice(0, 300)} ${failureSummary}`).join('; ')}`);
  check(told.length === 0, `axe, ${where}: ${told.join('\n')}`);
}

export const picture = (page, name) => page.screenshot({ path: `${pictures}/${name}.png` });

/** Nothing sticks out at the side. */
export const fits = async (page, where) => check(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${where}: it is wider than its window`);

/** `figure NAME VALUE`, for who collects them. */
export function figures(name, values) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (part) => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))];
  console.log(`figure ${name}_p50_ms ${at(0.5).toFixed(1)}`);
  console.log(`figure ${name}_p99_ms ${at(0.99).toFixed(1)}`);
}
