// The messenger on somebody's page, in Chromium, against the real server: a page of another origin whose policy allows that script, calls to
// that server, and nothing else. An agent answers through the client library. The server is killed while the customer types.
import { createInterface } from 'node:readline';
import { accepted, agent, until } from './agent.mjs';
import { context, customerToken, focused, pages, tab, texts, write } from './messenger_shop.mjs';
import { accessible, api, browser, change, check, complaints, picture, says, url, workspace } from './pages.mjs';

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const offered = () => until(({ offers }) => Object.values(offers)[0], 'an offer');
/** Where the name is asked before a conversation. */
const nameOf = (page) => page.locator('form:not(#contact) input[name=name]');
const heard = (id, text) => until(({ threads }) => threads[id]?.messages.filter((message) => message.text === text).length === 1, text);

// By keyboard alone: in, through what is asked, and out again.
const visitor = await context();
const first = await tab(visitor, { 'data-ask': 'name,email' });
await first.keyboard.press('Tab');
check((await focused(first)) === 'launcher', 'the button is reached by Tab');
const usable = await first.evaluate(() => window.usableAt - performance.getEntriesByType('resource').find(({ name }) => name.endsWith('/messenger.js')).startTime);
console.log(`figure messenger_usable_ms ${usable.toFixed(0)}`);
check((await first.locator('.launcher').getAttribute('aria-expanded')) === 'false', 'collapsed');
await first.keyboard.press('Enter');
check((await first.locator('.launcher').getAttribute('aria-expanded')) === 'true', 'expanded');
check((await focused(first)) === 'INPUT', 'the first field has the focus');
await accessible(first, 'before a conversation');
await picture(first, 'asked');
await first.keyboard.press('Escape');
check((await focused(first)) === 'launcher', 'the focus is back at the button');
await first.keyboard.press('Enter');
await first.keyboard.type('Zoë 🙂');
await first.keyboard.press('Tab');
await first.keyboard.type('no address');
await first.keyboard.press('Tab');
await first.keyboard.type('Where is my parcel?');
await first.keyboard.press('Shift+Enter');
await first.keyboard.type('It was to come on Monday.');
await first.keyboard.press('Enter');
check((await texts(first)).length === 0, 'what is no address is not sent');
check((await focused(first)) === 'INPUT', 'the field at fault has the focus');
await first.getByLabel('E-mail', { exact: true }).fill('zoe@example.org');
await first.locator('textarea[enterkeyhint]').press('Enter');

const { conversation: asked } = await offered();
check(asked.name === 'Zoë 🙂' && asked.metadata.email === 'zoe@example.org' && asked.metadata.page === '/', `what was asked: ${JSON.stringify(asked)}`);
await says(first, '.fact', 'line');
await accessible(first, 'waiting');
const id = await accepted();
await says(first, '.fact', 'You are talking with');
await heard(id, 'Where is my parcel?\nIt was to come on Monday.');

await agent.send(id, 'Good morning! I am looking it up.');
await says(first, '.message.agent .text', 'looking it up');
agent.typing(id);
await first.locator('.typing:visible').waitFor();
await agent.read(id, 1);
await says(first, '.message.mine .under', 'Read');

// What is hostile is text: nothing of it runs, or becomes an element, or turns the page around.
const hostile = ['<img src=x onerror="alert(1)"><script>alert(2)</script>', '\u202egnp.exe \u2066&lt;b&gt;', '🙂'.repeat(4096)];
for (const text of hostile) {
  await agent.send(id, text);
  await first.waitForFunction((text) => [...document.querySelector('offhook-messenger').shadowRoot.querySelectorAll('.agent .text')].some((one) => one.textContent === text), text);
}
check((await first.locator('.message img, .message script').count()) === 0, 'no element came of it');
check(await first.locator('.log').evaluate((log) => log.scrollWidth <= log.clientWidth), 'nothing sticks out');

// While it is closed, what comes is counted; opened, it is read.
await first.keyboard.press('Escape');
await agent.send(id, 'It left our house yesterday.');
await says(first, '.badge', '1');
check((await first.locator('.launcher').getAttribute('aria-label')).includes('1'), 'the button says how many');
await first.locator('.launcher').click();
await until(({ conversations, threads }) => conversations[id].read_by_customer === threads[id].messages.at(-1).number, 'read');
check(await first.locator('.badge').isHidden(), 'nothing is new');

// Another tab goes on with it, and the first hears of it.
const second = await tab(visitor);
await second.locator('.launcher').click();
await says(second, '.message .text', 'It left our house yesterday.');
await write(second, 'From the second tab');
await says(first, '.message.mine .text', 'From the second tab');
await second.close();

// Loaded again where the stream cannot be opened: what was known is there, and said to be old. Then it goes on.
await first.route('**/events', (route) => route.abort());
await first.reload();
await says(first, '.message.mine .text', 'From the second tab');
await says(first, '.banner', 'No connection yet');
await accessible(first, 'stale');
await picture(first, 'stale');
await first.unroute('**/events');
await first.reload();
await says(first, '.message.mine .text', 'From the second tab');
await first.locator('.banner').waitFor({ state: 'hidden' });

// Killed under what is being written: the text stays, and is there once.
await first.locator('textarea[enterkeyhint]').pressSequentially('Half a sen');
await first.reload();
check((await first.locator('textarea[enterkeyhint]').inputValue()) === 'Half a sen', 'the draft outlives a reload');
await first.route('**/messages', (route) => route.abort());
console.log('kill');
await first.locator('textarea[enterkeyhint]').pressSequentially('tence and its end');
check((await first.locator('textarea[enterkeyhint]').inputValue()) === 'Half a sentence and its end', 'the text is kept');
await first.locator('textarea[enterkeyhint]').press('Enter');
await says(first, '.message.pending .text', 'Half a sentence and its end');
await lines.next();
await first.unroute('**/messages');
await heard(id, 'Half a sentence and its end');
await first.locator('.message.pending').waitFor({ state: 'detached' });
check((await texts(first)).filter((text) => text === 'Half a sentence and its end').length === 1, 'it is shown once');
await first.locator('.banner').waitFor({ state: 'hidden' });

// Refused, with the reason, and dropped.
await write(first, 'x'.repeat(17_000));
await says(first, '.message.refused .under', 'This is too long.');
await first.getByRole('button', { name: 'Discard' }).click();
await first.locator('.message.refused').waitFor({ state: 'detached' });
check((await focused(first)) === 'TEXTAREA', 'the focus is where one writes');

// An end that is meant, and a new beginning.
await accessible(first, 'active');
await first.locator('.end').click();
await first.locator('.end', { hasText: 'Really end?' }).click();
await says(first, '.event', 'The conversation has ended');
await accessible(first, 'ended');
// What it was like: in one touch, with a word to it, and changed; and all of it as a text to keep.
const rated = async (wanted) => {
  for (;;) {
    const { rating } = await api('GET', `conversations/${id}`);
    if (rating?.score === wanted.score && rating.comment === wanted.comment) return;
    await new Promise((done) => setTimeout(done, 20));
  }
};
const step = (score) => first.getByRole('button', { name: `${score} of 5` });
await step(4).click();
await rated({ score: 4, comment: null });
await picture(first, 'rating');
await first.getByLabel('Anything to add?').fill('Quick & <b>kind</b>');
await accessible(first, 'rating');
await first.getByLabel('Anything to add?').press('Enter');
await first.locator('.card').getByRole('button', { name: 'Send' }).click();
await says(first, '.thanks', 'Thank you!');
await rated({ score: 4, comment: 'Quick & <b>kind</b>' });
await step(5).click();
await rated({ score: 5, comment: null });
await first.reload();
await first.locator('.card:visible').waitFor();
check((await step(5).getAttribute('aria-pressed')) === 'true', 'a rating is shown after a reload');
const [kept] = await Promise.all([first.waitForEvent('download'), first.getByRole('button', { name: 'Save this conversation' }).click()]);
check(kept.suggestedFilename() === `conversation-${id}.txt`, kept.suggestedFilename());
const chunks = [];
for await (const chunk of await kept.createReadStream()) chunks.push(chunk);
const text = Buffer.concat(chunks).toString('utf8');
check(/ Zoë 🙂: Where is my parcel\?\n    It was to come on Monday\.\n/.test(text) && text.includes('onerror="alert(1)"'), text.slice(0, 500));
await first.getByRole('button', { name: 'New conversation' }).click();
await nameOf(first).fill('Zoë');
await first.getByLabel('E-mail', { exact: true }).fill('zoe@example.org');
// As long as the start is not answered, a reload included, nothing of the last is shown either.
await first.route('**/conversations', (route) => route.abort());
await write(first, 'One more thing');
await says(first, '.message.pending .text', 'One more thing');
await first.reload();
await says(first, '.message.pending .text', 'One more thing');
check((await texts(first)).length === 1 && (await first.locator('textarea[enterkeyhint]').isVisible()), 'the last is not shown while the next begins');
await first.unroute('**/conversations');
await until(({ conversations }) => conversations[id]?.state !== 'active', 'ended');
if (agent.state.conversations[id]) await agent.wrapUpDone(id);
const next = await accepted();
check(next !== id, 'another conversation');
await agent.send(next, 'Gladly');
await says(first, '.message.agent .text', 'Gladly');
check((await texts(first)).length === 2, 'nothing of the last is shown with it');
await agent.close(next);
await says(first, '.event', 'The conversation has ended');
await agent.wrapUpDone(next).catch(() => {});

// As a module with the page's own element; and on the server's own page.
for (const [query, address] of [[{ with: 'element' }], [{ with: 'module' }], [{ with: 'defer' }], [{}, `${url}/messenger/${workspace}`]]) {
  const place = await context();
  const page = await tab(place, query, address);
  await page.locator('.launcher').click();
  if (query.with === 'element') await says(page, 'h2', 'Ask the shop');
  if (address) await nameOf(page).fill('Zoë');
  await write(page, 'Hello');
  const id = await accepted();
  await says(page, '.fact', 'You are talking with');
  await agent.close(id);
  await page.locator('.new:visible').waitFor();
  await agent.wrapUpDone(id).catch(() => {});
  await place.close();
}

// Who is known finds the conversation in another browser too, and is asked nothing.
const known = { with: 'known', 'data-ask': 'name,email', 'data-customer': '4711' };
const atHome = await context();
const home = await tab(atHome, known);
await home.locator('.launcher').click();
check((await home.locator('input:visible').count()) === 0, 'who is known is not asked');
await write(home, 'It is me');
const mine = await accepted();
check(agent.state.conversations[mine].known === true && agent.state.conversations[mine].name === 'Zoë', `known: ${JSON.stringify(agent.state.conversations[mine])}`);
const away = await tab(await context(), known);
await away.locator('.launcher').click();
await says(away, '.message.mine .text', 'It is me');
await write(away, 'From elsewhere');
await says(home, '.message.mine .text', 'From elsewhere');
await agent.close(mine);
await agent.wrapUpDone(mine).catch(() => {});

// A visitor who signs in keeps the conversation, and whoever signs out leaves nothing. This page has it on the other side, in a colour of its own.
const guest = await tab(await context(), { 'data-position': 'start' });
const launcher = guest.locator('.launcher');
check((await launcher.boundingBox()).x < 100, 'at the start of the line');
await guest.evaluate(() => document.documentElement.style.setProperty('--offhook-accent', 'rgb(90, 30, 120)'));
check((await launcher.evaluate((button) => getComputedStyle(button).backgroundColor)) === 'rgb(90, 30, 120)', 'the page says the colour');
await launcher.click();
await write(guest, 'Before I signed in');
const signedIn = await accepted();
await guest.evaluate((token) => document.querySelector('offhook-messenger').identify(token, '4711'), customerToken());
await says(guest, '.message.mine .text', 'Before I signed in');
const again = await tab(await context(), known);
await again.locator('.launcher').click();
await says(again, '.message.mine .text', 'Before I signed in');
await write(guest, 'And after');
await says(again, '.message.mine .text', 'And after');
await guest.evaluate(() => document.querySelector('offhook-messenger').signOut());
await guest.locator('.hello:visible').waitFor();
check((await texts(guest)).length === 0, 'nothing is left here');
await agent.close(signedIn);
await agent.wrapUpDone(signedIn).catch(() => {});

// Nobody is there, and the queue's rules say so: the start is refused with the reason, and tried again when somebody is.
await agent.setStatus('away', ['chat']);
await change('queues/support', { waiting: { nobody_there: 'refuse' } });
const early = await tab(await context());
await early.locator('.launcher').click();
await write(early, 'Is anybody there?');
await says(early, '.message.refused .under', 'Nobody is here now');
await accessible(early, 'refused');
await picture(early, 'refused');
await change('queues/support', { waiting: {} });
await early.getByRole('button', { name: 'Try again' }).click();
await says(early, '.fact', 'You are in line, place');
await picture(early, 'waiting');

// Where a message may be left, the same panel asks for an address, and says what becomes of it.
await change('queues/support', { waiting: { nobody_there: 'refuse' } });
await change('settings', { left_messages: {} });
const offline = await tab(await context());
for (;;) {
  await offline.locator('.launcher').click();
  await offline.locator('.hello:visible').waitFor();
  // Who is there is as of a second ago.
  if (await offline.locator('input[name=email]:visible').count()) break;
  await offline.keyboard.press('Escape');
  await offline.locator('.hello').waitFor({ state: 'hidden' });
}
await says(offline, '.hello', 'Leave a message, and we answer by e-mail.');
await accessible(offline, 'offline');
await picture(offline, 'offline');
await offline.getByLabel('E-mail', { exact: true }).fill('zoe@example.org');
await write(offline, 'Please call me');
await says(offline, '.fact', 'Your message has reached us');
await accessible(offline, 'left');
await picture(offline, 'left');
await change('queues/support', { waiting: {} });
await change('settings', { left_messages: null });
await agent.setStatus('available', ['chat']);
const awaited = await accepted();
const message = await accepted();
const { metadata: contact, message: isMessage } = agent.state.conversations[message];
check(contact.email === 'zoe@example.org' && isMessage === true, JSON.stringify(agent.state.conversations[message]));
await says(offline, '.fact', 'You are talking with');
await agent.close(message);
await agent.wrapUpDone(message).catch(() => {});

// Who it is, said later.
await early.getByRole('button', { name: 'Your name and e-mail' }).click();
check((await focused(early)) === 'INPUT', 'the form has the focus');
await early.locator('#contact').getByLabel('Name').fill('Zoë');
await early.locator('#contact').getByLabel('Your e-mail').fill('zoe@example.org');
await accessible(early, 'contact');
await picture(early, 'contact');
await early.getByRole('button', { name: 'Save', exact: true }).click();
await until(({ conversations }) => conversations[awaited]?.name === 'Zoë' && conversations[awaited].metadata.email === 'zoe@example.org', 'who it is');
await early.locator('#contact').waitFor({ state: 'hidden' });
await says(early, '.fact', 'You are talking with');

// Its agent is gone for a moment.
agent.stop();
await says(early, '.fact', 'is reconnecting');
await accessible(early, 'reconnecting');
await agent.connect();
await says(early, '.fact', 'You are talking with');
await early.locator('textarea[enterkeyhint]').fill('I was wri');
await until(({ conversations }) => conversations[awaited]?.state === 'active', 'back');
await agent.close(awaited);
await says(early, '.event', 'The conversation has ended');
check((await focused(early)) === 'new', 'whoever was writing is at the button for another');
await picture(early, 'ended');
await agent.wrapUpDone(awaited).catch(() => {});

// Out of hours a message may be left, and an address.
const day = (offset) => new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10);
const weekly = Object.fromEntries(['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'].map((name) => [name, ['00:00-24:00']]));
await change('settings', { hours: { office: { time_zone: 'Etc/UTC', weekly, exceptions: [{ name: 'The move', date: day(-1), until: day(2) }] } } });
await change('queues/support', { hours: 'office', waiting: { out_of_hours: { take_message: { text: 'We have moved house, and read this on Monday.' } } } });
const late = await tab(await context());
await late.locator('.launcher').click();
await write(late, 'Can you call me?');
await says(late, '.fact', 'Nobody is here until');
await says(late, '.message.system .text', 'We have moved house');
await late.getByLabel('Your e-mail, so that we can reach you').fill('zoe@example.org');
await accessible(late, 'out of hours');
await picture(late, 'out-of-hours');
await late.getByLabel('Your e-mail, so that we can reach you').press('Enter');
await says(late, '.banner', 'We answer to');
check((await late.locator('input:visible').count()) === 0, 'an address is left once');
await change('queues/support', { hours: null, waiting: {} });
const left = await accepted();
check(agent.state.conversations[left].metadata.email === 'zoe@example.org', 'the agent sees the address');
await agent.close(left);
await agent.wrapUpDone(left).catch(() => {});

// What the workspace has set holds for every page, where the page says nothing else.
await change('settings', {
  messenger: {
    texts: { heading: 'Ask the shop', greeting: 'What are you looking for?' },
    by_language: { de: { heading: 'Fragen Sie uns' } },
    accent: '#5a1e78',
    ask: ['name'],
    position: 'start',
  },
  rating: { scale: 'two', within_ms: 3_600_000 },
});
const set = await tab(await context());
await set.locator('.launcher').click();
await says(set, 'h2', 'Ask the shop');
await says(set, '.hello', 'What are you looking for?');
check((await nameOf(set).isVisible()) && (await set.locator('.launcher').boundingBox()).x < 100, 'asked, and at the start');
check((await set.locator('.launcher').evaluate((button) => getComputedStyle(button).backgroundColor)) === 'rgb(90, 30, 120)', 'the workspace says the colour');
await nameOf(set).fill('Zoë');
await write(set, 'A lamp');
const lamp = await accepted();
await agent.send(lamp, 'Here is one.');
await says(set, '.message.agent .text', 'Here is one.');
await agent.close(lamp);
await set.getByRole('button', { name: 'Good' }).click();
await accessible(set, 'two steps');
await picture(set, 'two-steps');
await agent.wrapUpDone(lamp).catch(() => {});
const german = await tab(await context(), { 'data-language': 'de', 'data-position': 'end', 'data-greeting': 'Was suchen Sie?', 'data-ask': '' });
await german.locator('.launcher').click();
await says(german, 'h2', 'Fragen Sie uns');
await says(german, '.hello', 'Was suchen Sie?');
check((await german.locator('input:visible').count()) === 0 && (await german.locator('.launcher').boundingBox()).x > 100, 'the tag says otherwise');
await change('settings', { messenger: {}, rating: { scale: 'five', within_ms: 3_600_000 } });

// Neither the settings nor the words can be had: it is there all the same, in one language and one direction.
const alone = await context();
await alone.route('**/page', (route) => route.abort());
await alone.route('**/words/*', (route) => route.abort());
const bare = await tab(alone, { 'data-language': 'ar' });
await bare.locator('.launcher').click();
await says(bare, 'h2', 'Chat with us');
check((await bare.locator('.root').getAttribute('dir')) === 'ltr', 'in the direction of what it says');
await alone.close();

// How it looks, in each size, colour and direction.
async function looks(name, options, query, [question, answer, more]) {
  const place = await context(options);
  const page = await tab(place, query);
  await page.locator('.launcher').click();
  await write(page, question);
  const id = await accepted();
  await agent.read(id, 1);
  await agent.send(id, answer);
  await says(page, '.message.agent .text', answer);
  await write(page, more);
  await heard(id, more);
  await agent.read(id, 3);
  agent.typing(id);
  await page.locator('.typing:visible').waitFor();
  await accessible(page, name);
  await picture(page, name);
  await agent.close(id);
  await page.locator('.card:visible').waitFor();
  await accessible(page, `${name}, over`);
  await picture(page, `${name}-over`);
  await agent.wrapUpDone(id).catch(() => {});
  await place.close();
}
const english = ['Where is my parcel? It was to come on Monday.', 'Good morning! It left our house yesterday, and is with you tomorrow by noon.', 'Thank you, that is soon enough.'];
const deutsch = ['Wo ist mein Paket?', 'Guten Morgen! Es ist gestern abgegangen und morgen bis Mittag bei Ihnen.', 'Danke, das genügt.'];
const spanish = ['¿Dónde está mi paquete?', '¡Buenos días! Salió ayer y le llega mañana antes de las doce.', 'Gracias, perfecto.'];
const arabic = ['أين طردي؟ كان يجب أن يصل يوم الاثنين.', 'صباح الخير! الرقم ZX-81 غادر مستودعنا أمس وسيصلك غدًا ظهرًا.', 'OK, شكرًا لك'];
const phone = { viewport: { width: 390, height: 780 }, isMobile: true, hasTouch: true };
await looks('wide-light', { viewport: { width: 900, height: 720 }, colorScheme: 'light' }, {}, english);
await looks('wide-es', { viewport: { width: 900, height: 720 } }, { 'data-language': 'es' }, spanish);
await looks('wide-dark', { viewport: { width: 900, height: 720 }, colorScheme: 'dark' }, { 'data-language': 'de' }, deutsch);
await looks('phone', { ...phone, colorScheme: 'light' }, {}, english);
await looks('rtl', { viewport: { width: 900, height: 720 } }, { 'data-language': 'ar', 'data-theme': 'light' }, arabic);
await looks('phone-rtl-dark', { ...phone, colorScheme: 'dark' }, { 'data-language': 'ar' }, arabic);

check(complaints.length === 0, `complaints: ${complaints.join('\n')}`);
await browser.close();
agent.stop();
pages.close();
console.log('done');
process.exit(0);
