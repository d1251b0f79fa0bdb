// What tests/clients/wallboard_page.mjs and status_page.mjs stand on: a browser, what a page may not say, axe, pictures, and customers.
import { randomBytes } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
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
const under = (path) => `${url}/v1/workspaces/${workspace}/${path}`;

/** Asks, and again with the same id when it is told to come later, or when the connection broke, as docs/wire.md says. */
async function asked(address, init) {
  for (let tries = 0; ; tries++) {
    const answer = await fetch(address, init).catch((error) => (tries < 100 ? undefined : Promise.reject(error)));
    if (answer && answer.status !== 503 && answer.status !== 429) return answer;
    const { retry_after_ms: ms = 200 } = answer ? await answer.json() : {};
    await new Promise((done) => setTimeout(done, ms));
  }
}

export async function get(path) {
  return (await asked(under(path), { headers: { Authorization: `Bearer ${admin}` } })).json();
}

export async function put(path, body) {
  const headers = { Authorization: `Bearer ${admin}`, 'Content-Type': 'application/json', 'Idempotency-Key': id() };
  const answer = await asked(under(path), { method: 'PUT', headers, body: JSON.stringify(body) });
  check(answer.ok, `${path}: ${await answer.text()}`);
}

/** A customer begins; its conversation. */
export async function customer(name, text = 'Hello') {
  const headers = { 'Content-Type': 'application/json', 'Idempotency-Key': id() };
  const answer = await asked(`${url}/v1/messenger/${workspace}/conversations`, { method: 'POST', headers, body: JSON.stringify({ text, name }) });
  const told = await answer.json();
  check(answer.status === 201, `a start: ${JSON.stringify(told)}`);
  return told.conversation.conversation;
}

export const browser = await chromium.launch({
  executablePath: process.env.OFFHOOK_CHROMIUM ?? '/usr/bin/chromium',
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});

/** What no page may have said: an error, or that its policy was broken. */
export const complaints = [];
export async function context(options = {}) {
  const made = await browser.newContext({ locale: 'en-GB', reducedMotion: 'reduce', bypassCSP: false, ...options });
  made.setDefaultTimeout(30_000);
  await made.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => console.error(`policy: ${violatedDirective} ${blockedURI}`));
    window.alert = () => console.error('a name was run');
  });
  return made;
}

export async function open(context, address) {
  const page = await context.newPage();
  page.on('pageerror', (error) => complaints.push(error.stack));
  page.on('console', (message) => {
    const away = message.text().startsWith('Failed to load resource') || message.text().includes('WebSocket connection');
    // That a server is away is what this is about.
    if (message.type() === 'error' && !away) complaints.push(message.text());
  });
  await page.goto(address);
  return page;
}

/** What a page has is asked in a world of its own, so that its policy stays as strict as it is. */
export async function accessible(page, where) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }));
  const serious = violations.filter(({ impact, tags }) => impact === 'serious' || impact === 'critical' || !tags.includes('best-practice'));
  const told = serious.map(({ id, impact, nodes }) => `${id} (${impact}): ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join('; ')}`);
  check(told.length === 0, `axe, ${where}: ${told.join('\n')}`);
}

const { OFFHOOK_DOC_PICTURES: documents } = process.env;
/** Of these the documents have their own. */
const SHOWN = new Set(['wallboard', 'wallboard-why', 'wallboard-screen', 'wallboard-dark', 'wallboard-phone', 'status-light']);
export async function picture(page, name) {
  await page.screenshot({ path: `${pictures}/${name}.png` });
  if (documents && SHOWN.has(name)) copyFileSync(`${pictures}/${name}.png`, `${documents}/${name}.png`);
}

/** Nothing sticks out at the side. */
export const fits = async (page, where) => check(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${where}: it is wider than its window`);
