// What is large, and what is hostile: 5,000 messages of history, 100 conversations open while one types, ten minutes in a hidden tab, texts
// that want to be more than text. And the figures.
import { accessible, api, change, check, context, customer, figures, gone, says, signedIn, tab, until, url, workspace } from './pages.mjs';

/** Minutes, and figures: `just console-loads`. */
const { OFFHOOK_CONSOLE_LOADS: isLong } = process.env;
/** Several pages of the server's at least. */
const HISTORY = isLong ? 5_000 : 450;
const OPEN = 100;
const OFFERS = 60;

const channels = async (chat) => change('settings', { channels: (await api('GET', 'settings')).channels.map((channel) => (channel.name === 'chat' ? { ...channel, ...chat } : channel)) });

export async function loads({ token, status, offered }) {
  await channels({ wrap_up_ms: 0, capacity: OPEN + 10, weight: 1 });
  await change('settings', { labels: {} });
  for (const found of (await api('GET', 'conversations?state=active&limit=200')).conversations) await api('POST', `conversations/${found.conversation}/close`, {});
  for (const found of (await api('GET', 'conversations?state=wrap_up&limit=200')).conversations) await api('POST', `conversations/${found.conversation}/wrap_up_done`, {});

  const place = await context();
  await place.addInitScript(watchOffers);
  const page = await signedIn(place, 'console', token);
  await page.locator('#status').waitFor();
  await api('PUT', 'agents/ada', { capacity_total: 1_000 });
  await status(page, 'Available');

  await hostile(page, offered);
  await history(page, offered);
  if (isLong) await large(place, page, { status });
  await place.close();
}

async function large(place, page, { status }) {
  await page.close();
  await hidden(place);
  const other = await tab(place, `${url}/console/${workspace}`);
  await other.locator('#status').waitFor();
  await painted(other);
  await typing(other, status);
}

/** When each offer came over the wire, and when it was painted: in the page, before its own scripts. */
function watchOffers() {
  const came = new Map();
  window.offersPainted = [];
  window.sent = [];
  window.statuses = 0;
  const Real = window.WebSocket;
  window.WebSocket = class extends Real {
    constructor(...given) {
      super(...given);
      this.addEventListener('message', ({ data }) => {
        const at = performance.now();
        if (data.startsWith('{"type":"status",')) window.statuses += 1;
        if (!data.startsWith('{"type":"offer",')) return;
        came.set(JSON.parse(data).offer.offer, at);
      });
    }
    send(text) {
      window.sent.push(JSON.parse(text).type);
      super.send(text);
    }
  };
  const look = () => {
    for (const node of document.querySelectorAll('[data-offer]')) {
      const at = came.get(node.dataset.offer);
      if (at === undefined) continue;
      came.delete(node.dataset.offer);
      // Into the next frame, and that frame is done.
      requestAnimationFrame(() => setTimeout(() => window.offersPainted.push(performance.now() - at), 0));
    }
  };
  new MutationObserver(look).observe(document, { childList: true, subtree: true });
}

async function accept(page) {
  await page.keyboard.press('Alt+a');
  await gone(page, '.offer');
}

/** What is hostile is text: nothing of it runs, becomes an element, or turns the page round. */
async function hostile(page, offered) {
  const texts = ['<img src=x onerror="alert(1)"><script>alert(2)</script>', '\u202egnp.exe \u2066&lt;b&gt; \u2067 still', '🙂'.repeat(4_096), 'javascript:alert(1) https://good.example/x\u202emoc.live', `${'W'.repeat(3_000)}`, '\u0000\u001b[2J{{constructor}}${alert(3)}'.replace('\u0000', '')];
  const evil = await customer(texts[0], { name: '<b onclick=alert(4)>\u202eevil</b>', metadata: { page: '"><script>alert(5)</script>', email: '\u202e@evil' } });
  await offered(page, 'evil');
  await accessible(page, 'a hostile offer');
  await accept(page);
  for (const text of texts.slice(1)) await evil.write(text);
  for (const text of texts) await until(page, (text) => [...document.querySelectorAll('.bubble')].some((one) => one.textContent === text), text);
  check((await page.locator('.bubble img, .bubble script, .bubble b, h1 b, .details script').count()) === 0, 'no element came of it');
  const links = await page.locator('.bubble a').evaluateAll((all) => all.map((one) => [one.getAttribute('href'), one.rel]));
  check(JSON.stringify(links) === JSON.stringify([['https://good.example/x', 'noopener noreferrer nofollow']]), `links: ${JSON.stringify(links)}`);
  for (const part of ['.log', '.list .panel', '.details', 'body']) check(await page.locator(part).first().evaluate((node) => node.scrollWidth <= node.clientWidth + 1), `nothing sticks out of ${part}`);
  // A name that turns the direction of writing ends where it ends.
  check((await page.locator('.head h1 bdi').evaluate((node) => getComputedStyle(node).unicodeBidi)).startsWith('isolate'), 'the name is isolated');
  await accessible(page, 'hostile');
  await api('POST', `conversations/${evil.conversation}/close`, {});
  await gone(page, `.row[data-conversation="${evil.conversation}"]`);
}

/** A long history is there from its end, and can be read back to its beginning, while what is said now still comes. */
async function history(page, offered) {
  const long = await customer('number 1', { name: 'Longa' });
  await offered(page, 'Longa');
  await accept(page);
  for (let number = 2; number <= HISTORY; number += 20) {
    await Promise.all(Array.from({ length: Math.min(20, HISTORY - number + 1) }, (_, place) => long.write(`number ${number + place}`)));
  }
  await page.reload();
  const began = performance.now();
  await page.locator(`.row[data-conversation="${long.conversation}"]`).click();
  await page.locator(`.said[data-number="${HISTORY}"]`).waitFor();
  console.log(`figure console_thread_opened_ms ${(performance.now() - began).toFixed(0)}`);
  check((await page.locator('.said').count()) <= 300, 'not all of it is drawn');
  const log = page.locator('.log');
  // Backwards: what is looked at stays where it is while more comes before it.
  const first = () => page.evaluate(() => Number(document.querySelector('.said[data-number]')?.getAttribute('data-number')));
  const jumped = [];
  for (let before = await first(); before > 1; before = await first()) {
    const seen = await log.evaluate((node) => {
      node.scrollTop = 300;
      const top = node.getBoundingClientRect().top;
      const row = [...node.querySelectorAll('.said[data-number]')].find((one) => one.getBoundingClientRect().bottom > top + 40);
      return { number: row.dataset.number, top: row.getBoundingClientRect().top };
    });
    await page.waitForFunction((before) => Number(document.querySelector('.said[data-number]')?.getAttribute('data-number')) < before, before, { polling: 20 });
    const now = await page.locator(`.said[data-number="${seen.number}"]`).evaluate((node) => node.getBoundingClientRect().top);
    jumped.push(Math.abs(now - seen.top));
  }
  check(Math.max(...jumped) <= 2, `what one reads stays where it is: ${Math.max(...jumped)} px`);
  await says(page, '.log .event', 'Began');
  // What is said now is in the list, and not among what one reads far up: that end is put away.
  const place = () => log.evaluate((node) => node.scrollTop);
  const before = await place();
  await long.write('and one more');
  await says(page, `.row[data-conversation="${long.conversation}"]`, 'and one more');
  check((await place()) === before, 'reading further up, one is left alone');
  await page.getByRole('button', { name: 'To the end' }).click();
  await says(page, `.said[data-number="${HISTORY + 1}"] .bubble`, 'and one more');
  await until(page, () => {
    const node = document.querySelector('.log');
    return node.scrollHeight - node.scrollTop - node.clientHeight < 4 && document.querySelectorAll('.said').length <= 300;
  });
  await api('POST', `conversations/${long.conversation}/close`, {});
  await gone(page, `.row[data-conversation="${long.conversation}"]`);
}

/** Ten minutes out of sight, by a clock that is turned on: nothing is sent that changes a status, and the status is what it was. */
async function hidden(place) {
  const away = await place.newPage();
  await away.clock.install();
  await away.goto(`${url}/console/${workspace}`);
  await away.clock.runFor(1_000);
  await away.locator('#status').waitFor();
  await away.evaluate(() => {
    Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => 'hidden' });
    Object.defineProperty(document, 'hidden', { configurable: true, get: () => true });
    document.dispatchEvent(new Event('visibilitychange'));
    window.sent.length = 0;
    window.statuses = 0;
  });
  const row = async () => (await api('GET', 'live/agents?limit=200')).rows.find(({ agent }) => agent === 'ada');
  const was = await row();
  // In steps, so that the server's answers come in between as they would.
  for (let second = 0; second < 600; second++) await away.clock.runFor(1_000);
  const sent = await away.evaluate(() => window.sent);
  check(!sent.some((type) => ['set_status', 'next_status', 'ready', 'sign_out', 'input'].includes(type)), `sent while hidden: ${sent}`);
  const is = await row();
  check(is.status === was.status && is.available === was.available, `the status is what it was: ${JSON.stringify([was, is])}`);
  check((await away.evaluate(() => window.statuses)) === 0, 'and nobody was told of another');
  await away.close();
}

/** From the wire to the screen. */
async function painted(page) {
  for (let count = 1; count <= OFFERS; count++) {
    const one = await customer(`Question ${count}`, { name: `Nr ${count}` });
    await until(page, (count) => window.offersPainted.length >= count, count);
    await accept(page);
    await api('POST', `conversations/${one.conversation}/close`, {});
    await gone(page, `.row[data-conversation="${one.conversation}"]`);
  }
  figures('console_offer_painted', await page.evaluate(() => window.offersPainted));
}

/** A hundred conversations are open, and something is said in one of them all the time: what one types is there at once. */
async function typing(page, status) {
  await status(page, 'Away');
  const open = [];
  for (let count = 0; count < OPEN; count++) {
    const one = await customer(`I am number ${count}`, { name: `Customer ${count}`, metadata: { page: `/page/${count}` } });
    await api('POST', `conversations/${one.conversation}/assign`, { agent: 'ada', force: true });
    open.push(one);
  }
  await until(page, (count) => document.querySelectorAll('.row[data-conversation]').length === count, OPEN);
  await page.locator(`.row[data-conversation="${open[3].conversation}"]`).click();
  await page.locator('#composer').focus();
  await page.evaluate(() => {
    window.typed = [];
    addEventListener('keydown', ({ timeStamp }) => requestAnimationFrame(() => setTimeout(() => window.typed.push(performance.now() - timeStamp), 0)), true);
  });
  let over = false;
  const talk = (async () => {
    for (let count = 0; !over; count++) await open[count % OPEN].write(`Something more, ${count}`);
  })();
  await page.locator('#composer').pressSequentially('The quick brown fox jumps over the lazy dog, and then it does so once more. '.repeat(2), { delay: 20 });
  over = true;
  await talk;
  figures('console_typed', await page.evaluate(() => window.typed));
  // What was said last is in the list, whoever said it.
  await open[7].write('The last of all');
  await says(page, `.row[data-conversation="${open[7].conversation}"]`, 'The last of all');
  await accessible(page, 'a hundred conversations');
}
