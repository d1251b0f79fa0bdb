// What tests of the desk's pages stand on: a browser, people who are signed in, customers on the server's own page, and what is asked of a page.
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

/** A call of the admin API, which must be a good one. */
export async function api(method, path, body) {
  const headers = { Authorization: `Bearer ${admin}`, 'Content-Type': 'application/json', 'Idempotency-Key': id() };
  const answer = await fetch(`${url}/v1/workspaces/${workspace}/${path}`, { method, headers, ...(body && { body: JSON.stringify(body) }) });
  const text = await answer.text();
  check(answer.ok, `${method} ${path}: ${text}`);
  return text ? JSON.parse(text) : undefined;
}

/** Changes members of a queue, or of the settings. */
export const put = async (path, change) => api('PUT', path, { ...(await api('GET', path)), ...change });

/** A customer without a page, for when there are many: starts, and writes. */
export async function customer(text, more = {}) {
  const call = async (path, body, token) => {
    const headers = { 'Content-Type': 'application/json', 'Idempotency-Key': id(), ...(token && { Authorization: `Bearer ${token}` }) };
    // A connection that was closed just then, or no room just then: the same once more, which is done once.
    let answer;
    for (let times = 0; times < 20 && (!answer || answer.status === 503); times++) {
      if (answer) await new Promise((done) => setTimeout(done, 100));
      answer = await fetch(`${url}/v1/messenger/${workspace}${path}`, { method: 'POST', headers, body: JSON.stringify(body) }).catch(() => undefined);
    }
    check(answer, `${path}: no answer`);
    check(answer.ok, `${path}: ${answer.status} ${answer.ok ? "" : await answer.text()}`);
    return answer.status === 204 ? undefined : answer.json();
  };
  const { conversation, token } = await call('/conversations', { text, ...more });
  const own = `/conversations/${conversation.conversation}`;
  return {
    conversation: conversation.conversation,
    write: (text) => call(`${own}/messages`, { text }, token),
    typing: () => call(`${own}/typing`, {}, token),
    read: (number) => call(`${own}/read`, { number }, token),
    leave: () => call(`${own}/leave`, {}, token),
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
    window.alert = () => console.error('a message was run');
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
  const page = await tab(context, `${url}/${kind}/${workspace}#token=${token}`);
  await page.getByRole('button', { name: 'Go on' }).click();
  check(!page.url().includes('token'), 'the token is not in the address any more');
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

export async function accessible(page, where) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] }));
  const told = violations.map(({ id, impact, nodes }) => `${id} (${impact}): ${nodes.map(({ html, failureSummary }) => `${html.slice(0, 300)} ${failureSummary}`).join('; ')}`);
  check(told.length === 0, `axe, ${where}: ${told.join('\n')}`);
}

export const picture = (page, name) => page.screenshot({ path: `${pictures}/${name}.png` });

/** `figure NAME VALUE`, for who collects them. */
export function figures(name, values) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (part) => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))];
  console.log(`figure ${name}_p50_ms ${at(0.5).toFixed(1)}`);
  console.log(`figure ${name}_p99_ms ${at(0.99).toFixed(1)}`);
}
