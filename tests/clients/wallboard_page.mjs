// A supervisor at the wallboard, in Chromium, against the real server. Agents work through the client library; the server is killed.
import { createInterface } from 'node:readline';
import WebSocket from 'ws';
import { accessible, api, browser, check, complaints, context, customer, fits, picture, signedIn, url } from './pages.mjs';

const { OFFHOOK_LIBRARY: library, OFFHOOK_SUPERVISOR: supervisor, OFFHOOK_TOKEN: adas, OFFHOOK_TOKEN_2: eves } = process.env;
const { AgentClient } = await import(`${library}/src/index.js`);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const hostile = '<img src=x onerror=alert(1)> \u202eevil';

await api('PUT', 'queues/support', { title: 'Support', service: { accept_ms: 60_000 }, moves: { pick: true } });
await api('PUT', 'queues/sales', { title: 'Sales & <b>more</b>' });
await api('PUT', 'agents/ada', { title: 'Ada Lovelace', queues: ['support', 'sales'], capacity: { chat: 1 } });
await api('PUT', 'agents/eve', { title: hostile, queues: ['support'] });

const agent = async (token, status) => {
  const client = new AgentClient({ url, token, environment: { WebSocket } });
  await client.connect();
  await client.setStatus(status, ['chat']);
  return client;
};
const until = (client, wanted, what) =>
  new Promise((done, fail) => {
    const over = setTimeout(() => fail(new Error(`did not come: ${what}; ${JSON.stringify(client.state).slice(0, 2000)}`)), 30_000);
    const look = (state) => {
      if (!wanted(state)) return;
      clearTimeout(over);
      end();
      done(state);
    };
    const end = client.subscribe(look);
    look(client.state);
  });
const starts = async (name) => (await customer('Hello', { name })).conversation;
const ada = await agent(adas, 'available');
const eve = await agent(eves, 'away');
const first = await starts('Zoë');
const offered = await until(ada, ({ offers }) => Object.keys(offers).length > 0, 'an offer');
const [offer] = Object.values(offered.offers);
await ada.delivered(offer.offer);
await ada.accept(offer.offer);
const second = await starts(hostile);
const third = await starts('Amir');
const fourth = await starts('Lena');

/** A window of a supervisor who has signed in. */
async function wallboard(options = {}, token = supervisor) {
  return signedIn(await context({ viewport: { width: 1440, height: 900 }, ...options }), 'wallboard', token);
}
const page = await wallboard();
const queue = (name) => page.locator('.queues tbody tr', { has: page.locator('.row-name', { hasText: name }) });
const row = (name) => page.locator('.agents tbody tr', { has: page.locator('.row-name', { hasText: name }) });
const figure = (label) => page.locator('.tile', { hasText: label }).locator('.figure');
const is = (locator, text) => locator.filter({ hasText: text }).first().waitFor();
const drawer = page.locator('dialog.drawer').last();
const dialog = page.locator('dialog[open]').last();
const closes = async () => {
  const shown = page.locator('dialog[open]');
  for (let left = await shown.count(); left > 0; left--) {
    await page.keyboard.press('Escape');
    await shown.nth(left - 1).waitFor({ state: 'hidden' });
  }
};

// What there is, and what becomes of it while one looks.
await is(figure('Waiting'), /^3$/);
await is(queue('Support').locator('[data-label=Waiting]'), '3');
await is(queue('Support').locator('[data-label="In time"]'), '100 %');
await is(row('Ada Lovelace'), 'chat 1/1');
await is(row('evil'), 'Away');
check((await page.locator('.board img').count()) === 0, 'no element came of a name');
check((await queue('Sales').locator('b').count()) === 0, 'nor of a title');
await is(page.locator('.health'), 'All systems well');
await is(page.locator('.live'), 'Live');
await accessible(page, 'the board');
await fits(page, 'the board');
const fifth = await starts('Mei');
await is(figure('Waiting'), /^4$/);

// By keyboard: to the queue, and to who waits there.
await page.keyboard.press('q');
check(await page.evaluate(() => document.activeElement.closest('.queues') !== null), 'q leads to the queues');
await page.keyboard.press('ArrowDown');
await page.keyboard.press('ArrowUp');
await page.keyboard.press('Enter');
await drawer.locator('.talk').nth(3).waitFor();
check((await drawer.locator('.talk .strong').allTextContents()).includes(hostile), 'a name is text');
await accessible(page, 'a queue');
await drawer.locator('.talk', { hasText: second }).getByRole('button', { name: 'Why does' }).click();
await is(page.locator('dialog.drawer').last(), 'Nobody can take it now.');
await is(page.locator('dialog.drawer').last(), 'hold');
await accessible(page, 'why');
await page.keyboard.press('Escape');

// Claimed: it is the supervisor's own.
await drawer.getByRole('button', { name: `Claim ${second}` }).click();
await accessible(page, 'a question');
await dialog.getByRole('button', { name: 'Claim' }).click();
await is(page.locator('.toast'), `${second} is yours.`);
check((await api('GET', `conversations/${second}`)).owner === 'sue', 'it is hers');
await drawer.locator('.talk', { hasText: second }).waitFor({ state: 'detached' });

// Moved: to another queue at its age, and to an agent beyond the rules.
await drawer.getByRole('button', { name: `Move ${third}` }).click();
await dialog.getByLabel('Queue', { exact: true }).selectOption('sales');
await accessible(page, 'a move');
await dialog.getByRole('button', { name: 'Move' }).click();
await is(page.locator('.toast'), `${third} waits in sales.`);
await drawer.getByRole('button', { name: `Move ${fourth}` }).click();
await dialog.getByLabel('To an agent').check();
await dialog.getByRole('button', { name: 'Move' }).click();
await is(dialog.locator('.fault'), 'The name of an agent.');
await dialog.getByLabel('Agent, by name').fill('eve');
await dialog.getByRole('button', { name: 'Move' }).click();
await is(dialog, 'Force it?');
await dialog.getByRole('button', { name: 'Force it' }).click();
await until(eve, ({ conversations }) => conversations[fourth]?.state === 'active', 'forced');
await closes();
await is(queue('Sales').locator('[data-label=Waiting]'), '1');

// An agent: what is held and why, its status, its draining.
await row('evil').locator('.row-name').click();
await is(drawer, 'is in a status that takes nothing');
await is(drawer.locator('.talk'), fourth);
await accessible(page, 'an agent');
await drawer.getByRole('button', { name: 'Set the status…' }).click();
await dialog.getByLabel('Available', { exact: true }).check();
await accessible(page, 'a status');
await dialog.getByRole('button', { name: 'Set status' }).click();
await until(eve, ({ status }) => status === 'available', 'a status that was set');
await closes();
await is(row('evil'), 'Available');
await row('Ada Lovelace').getByRole('button', { name: /^Actions/ }).click();
await accessible(page, 'a menu');
await page.getByRole('menuitem', { name: 'Drain' }).click();
await dialog.getByRole('button', { name: 'Drain' }).click();
await until(ada, ({ draining }) => draining, 'it drains');
await is(row('Ada Lovelace'), 'Draining');
await row('Ada Lovelace').getByRole('button', { name: /^Actions/ }).click();
await page.getByRole('menuitem', { name: 'Offer new' }).click();
await dialog.getByRole('button', { name: 'Offer again' }).click();
await until(ada, ({ draining }) => !draining, 'it drains no more');

// A queue takes nothing new, and then something again.
await queue('Sales').getByRole('button', { name: /^Actions/ }).click();
await page.getByRole('menuitem', { name: 'Drain' }).click();
await dialog.getByLabel('What is new meanwhile').selectOption('support');
await accessible(page, 'a queue that is to drain');
await dialog.getByRole('button', { name: 'Drain' }).click();
await is(queue('Sales'), 'Draining');
check((await api('GET', 'queues/sales')).moves.draining.to === 'support', 'and what is new goes on');
await queue('Sales').getByRole('button', { name: /^Actions/ }).click();
await page.getByRole('menuitem', { name: 'Take new' }).click();
await dialog.getByRole('button', { name: 'Open again' }).click();
await queue('Sales').locator('.badge', { hasText: 'Draining' }).waitFor({ state: 'detached' });

// Any conversation by its number; one that there is not, and one that is over.
await page.keyboard.press('f');
await dialog.getByLabel('Its number').fill('nothing');
await page.keyboard.press('Enter');
await is(dialog.locator('.fault'), 'A number');
await dialog.getByLabel('Its number').fill(first);
await page.keyboard.press('Enter');
await is(drawer, 'ada owns it.');
await closes();

// Filters are the server's, and stay when the page is loaded again.
// A dialog that has just closed has given its focus back already: every letter goes where one types.
await page.keyboard.press('/');
await page.keyboard.type('LOVE');
await row('evil').waitFor({ state: 'detached' });
await is(row('Ada Lovelace'), 'Ada Lovelace');
await page.reload();
await is(row('Ada Lovelace'), 'Ada Lovelace');
check((await page.locator('#find').inputValue()) === 'LOVE' && (await page.locator('.agents .row-name').count()) === 1, 'the same is shown');
await page.locator('#find').fill('nobody at all');
await is(page.locator('.agents'), 'Nobody is like that.');
await page.locator('#find').fill('');
await is(row('evil'), 'Available');

// Killed: what is shown is said to be old, and is right again by itself.
console.log('kill');
await is(page.locator('.live'), 'As of');
await page.locator('.board.old').waitFor();
await lines.next();
await is(page.locator('.live'), 'Live');
const sixth = await starts('Pablo');
check(sixth !== fifth, 'another');
await until(eve, ({ link }) => link.phase === 'live', 'back');
await page.waitForFunction(() => !document.querySelector('.banner'));
const waiting = async () => (await api('GET', 'live/queues')).rows.reduce((sum, { waiting }) => sum + waiting, 0);
await page.waitForFunction((count) => document.querySelector('.tile .figure').textContent === String(count), await waiting());

// Five thousand agents: a page of them is all that is drawn, and all that is asked for.
const names = Array.from({ length: 5_000 }, (_, place) => `agent-${String(place).padStart(4, '0')}`);
for (let from = 0; from < names.length; from += 250) {
  await Promise.all(names.slice(from, from + 250).map((name) => api('PUT', `agents/${name}`, { title: name.toUpperCase(), queues: ['support'] })));
}
await page.getByRole('group', { name: 'Who is shown' }).getByRole('button', { name: 'Offline' }).click();
await is(page.locator('.agents .card-head'), 'of 5000');
check((await page.locator('.agents .row-name').count()) === 50, 'a page of fifty');
await page.locator('#in-order').selectOption('name');
await is(page.locator('.agents .row-name').first(), 'AGENT-0000');
await page.getByRole('button', { name: 'Next' }).click();
await is(page.locator('.agents .row-name').first(), 'AGENT-0050');
await page.keyboard.press('Escape');
await page.locator('.agents h2').click();
await page.keyboard.press('p');
await is(page.locator('.agents .row-name').first(), 'AGENT-0000');
await page.locator('#find').fill('4999');
await is(page.locator('.agents .row-name').first(), 'AGENT-4999');
check((await page.locator('.agents .row-name').count()) === 1, 'it is found');

// Another window sees something else, and each what it asked for.
const other = await wallboard({ colorScheme: 'dark' });
await other.locator('.agents .row-name', { hasText: 'Ada' }).waitFor();
check((await page.locator('.agents .row-name').first().textContent()) === 'AGENT-4999', 'the first shows what it did');
await accessible(other, 'dark');
await other.locator('.queues tbody tr').first().waitFor();
await picture(other, 'wallboard-dark');
await other.locator('.queues .row-name').first().click();
await other.locator('dialog.drawer .talk').first().waitFor();
await accessible(other, 'dark, a queue');
await picture(other, 'wallboard-queue-dark');
await other.keyboard.press('Escape');
await other.context().close();
await page.locator('#find').fill('');
await page.getByRole('group', { name: 'Who is shown' }).getByRole('button', { name: 'All here' }).click();
await is(row('Ada Lovelace'), 'Available');
await picture(page, 'wallboard');
await page.locator('.queues .row-name').first().click();
await drawer.locator('.talk').first().waitFor();
await drawer.locator('.talk').first().getByRole('button', { name: 'Why does' }).click();
await page.locator('dialog.drawer .answer').last().waitFor();
await picture(page, 'wallboard-why');
await closes();

// The big screen: nothing to press, and large.
await page.setViewportSize({ width: 1920, height: 1080 });
await page.keyboard.press('b');
await page.locator('.big').waitFor();
const size = await page.locator('.big .figure').first().evaluate((node) => parseFloat(getComputedStyle(node).fontSize));
check(size >= 80, `figures are large: ${size}`);
const text = await page.locator('.big td').first().evaluate((node) => parseFloat(getComputedStyle(node).fontSize));
check(text >= 32, `rows are large: ${text}`);
await accessible(page, 'the big screen');
await fits(page, 'the big screen');
await picture(page, 'wallboard-screen');
await page.keyboard.press('Escape');
await page.locator('.board').waitFor();

// On a phone.
const phone = await wallboard({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
await phone.locator('.agents .row-name', { hasText: 'Ada' }).waitFor();
await accessible(phone, 'a phone');
await fits(phone, 'a phone');
await picture(phone, 'wallboard-phone');
await phone.emulateMedia({ colorScheme: 'dark' });
await accessible(phone, 'a dark phone');
await picture(phone, 'wallboard-phone-dark');
await phone.emulateMedia({ colorScheme: 'light' });
await phone.locator('.queues .row-name').first().click();
await phone.locator('dialog.drawer .talk').first().waitFor();
await accessible(phone, 'a phone, a queue');
await picture(phone, 'wallboard-phone-queue');
await phone.context().close();

// An agent is told where its place is.
const agents = await wallboard({}, adas);
await agents.getByText('The wallboard is for supervisors').waitFor();
await accessible(agents, 'an agent');
await agents.context().close();

check(complaints.length === 0, `a page complained: ${complaints.join('\n')}`);
ada.stop();
eve.stop();
await browser.close();
console.log('done');
process.exit(0);
