// The console, in Chromium, against the real server: two agents and three customers in real tabs through the whole job. The server is killed
// while somebody types. console_loads.mjs has the large and the hostile, console_looks.mjs how it looks.
import { createInterface } from 'node:readline';
import { loads } from './console_loads.mjs';
import { looks } from './console_looks.mjs';
import { accessible, api, browser, change, check, complaints, context, fits, gone, picture, says, signedIn, tab, url, visitor, workspace } from './pages.mjs';

const { OFFHOOK_TOKEN: token, OFFHOOK_TOKEN_2: token2, OFFHOOK_ADMIN: boss } = process.env;
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

await change('settings', {
  reject_reasons: ['busy', 'not_mine'],
  labels: { dispositions: ['solved', 'spam'], fields: [{ name: 'order', type: 'text', required: true }] },
  channels: (await api('GET', 'settings')).channels.map((channel) => (channel.name === 'chat' ? { ...channel, wrap_up_ms: 600_000, wrap_up: { extensions_max: 2 } } : channel)),
});
await change('queues/support', { title: 'Support', moves: { pick: true } });

/** What one does there, as one does it: mostly by keyboard. */
const outOfFields = (page) => page.evaluate(() => document.activeElement?.blur());
const status = async (page, name) => {
  await outOfFields(page);
  await page.keyboard.press('s');
  await page.getByRole('menuitemradio', { name, exact: true }).first().click();
  await says(page, '#status', name);
};
const write = async (page, text) => {
  await page.locator('#composer').fill(text);
  await page.locator('#composer').press('Enter');
};
const offered = (page, name) => page.locator('.offer', { hasText: name }).waitFor();
const chosen = (page, name) => page.locator('.head h1', { hasText: name }).waitFor();
const idOf = (page) => page.locator('.row[aria-current=true]').getAttribute('data-conversation');

// Signed in, and strict.
const ofAda = await context({ colorScheme: 'light' });
const ada = await signedIn(ofAda, 'console', token);
await ada.locator('#status').waitFor();
await accessible(ada, 'nothing yet');
await status(ada, 'Available');
await says(ada, '.list .empty', 'offered to you here');

// An offer is there within moments, can be taken by a key wherever one is, and was confirmed as delivered because it was painted.
const zoe = await visitor('Zoë 🙂', 'Where is my parcel?');
await offered(ada, 'Zoë');
check((await ada.title()).includes('Offer waiting'), 'the title tells of it');
check((await ada.locator('link[rel=icon]').getAttribute('href')).includes('icon_alert'), 'and so does the icon');
await accessible(ada, 'an offer');
await ada.keyboard.press('Alt+a');
await chosen(ada, 'Zoë');
await gone(ada, '.offer');
const first = await idOf(ada);
const events = (await api('GET', `conversations/${first}/events`)).events.map(({ event }) => event);
check(events.includes('offer_delivered') || events.some((event) => /deliver/i.test(event)), `it was delivered: ${events}`);
check((await ada.title()).startsWith('Console'), 'nothing waits any more');
await says(ada, '.said.theirs .bubble', 'Where is my parcel?');
check((await ada.evaluate(() => document.activeElement?.id)) === 'composer', 'one can write at once');
await ada.keyboard.type('Good morning!');
await ada.keyboard.press('Shift+Enter');
await ada.keyboard.type('I am looking.');
await ada.keyboard.press('Enter');
await says(zoe, '.message.agent .text', 'Good morning!\nI am looking.');
await says(ada, '.said.mine .bubble', 'I am looking.');
await zoe.locator('textarea[enterkeyhint]').pressSequentially('It');
await says(ada, '.log > .typing', 'is typing');
await says(ada, '.said.mine .under', 'Read');

// The second agent declines with a reason, by keyboard, while it writes nothing.
const ofEve = await context({ colorScheme: 'dark' });
const eve = await signedIn(ofEve, 'console', token2);
await eve.locator('#status').waitFor();
await status(ada, 'Away');
await status(eve, 'Available');
const bob = await visitor('Bob', 'Do you deliver to Malta?');
await offered(eve, 'Bob');
await eve.keyboard.press('Alt+r');
await eve.locator('[role=menu]').waitFor();
await accessible(eve, 'reasons');
await status(ada, 'Available');
await eve.keyboard.press('2');
await gone(eve, '.offer');
// It goes on to whoever else is there, who is in the middle of a word.
await offered(ada, 'Bob');
await ada.locator('#composer').focus();
await ada.keyboard.type('half a wo');
await ada.keyboard.press('Alt+a');
await chosen(ada, 'Bob');
check((await ada.locator('#composer').inputValue()) === '', 'the word stays with its conversation');
await write(ada, 'Yes, we do.');
await says(bob, '.message.agent .text', 'Yes, we do.');
await outOfFields(ada);
// Only when what was said is known to have been said does the order of the two stay as it is.
await gone(ada, '.said.pending');
const names = await ada.locator('.row .name').allTextContents();
const place = (name) => names.findIndex((one) => one.includes(name));
await ada.keyboard.press(place('Zoë') > place('Bob') ? 'j' : 'k');
await chosen(ada, 'Zoë');
await ada.keyboard.press('Enter');
check((await ada.locator('#composer').inputValue()) === 'half a wo', 'and is there again');

// Loaded again, everything is as it was, and the draft too.
await ada.reload();
await ada.locator(`.row[data-conversation="${first}"]`).click();
await says(ada, '.said.mine .bubble', 'I am looking.');
check((await ada.locator('#composer').inputValue()) === 'half a wo', 'the draft outlives a reload');

// Killed under what is being written: nothing is lost, nothing is there twice, no status has changed.
await ada.locator('#composer').press('End');
await ada.locator('#composer').pressSequentially('rd, ');
console.log('kill');
await ada.locator('#composer').pressSequentially('and its end');
await ada.locator('#composer').press('Enter');
await lines.next();
await says(zoe, '.message.agent .text', 'half a word, and its end');
await gone(ada, '.said.pending');
check((await ada.locator('.said .bubble', { hasText: 'half a word' }).count()) === 1, 'it is shown once');
check((await zoe.locator('.message.agent .text', { hasText: 'half a word' }).count()) === 1, 'and was sent once');
await says(ada, '#status', 'Available');
await says(eve, '#status', 'Available');

// Without a network, and the server gone for a moment, too: a quiet banner says what it does, and what is written waits. Back, all of it is there.
await ofAda.setOffline(true);
console.log('kill');
await says(ada, '.banner', 'The connection is lost');
await write(ada, 'Written without a network');
await says(ada, '.said.pending .bubble', 'Written without a network');
await says(ada, '.said.pending .under', 'Waits for the connection');
await accessible(ada, 'no connection');
await lines.next();
await zoe.locator('textarea[enterkeyhint]').fill('Said while you were away');
await zoe.locator('textarea[enterkeyhint]').press('Enter');
await ofAda.setOffline(false);
await says(ada, '.said.theirs .bubble', 'Said while you were away');
await says(zoe, '.message.agent .text', 'Written without a network');
await gone(ada, '.said.pending');
await gone(ada, '.banner');
await says(ada, '#status', 'Available');
await says(eve, '#status', 'Available');

// Two tabs of one agent: what one does the other shows.
const again = await tab(ofAda, `${url}/console/${workspace}`);
await again.locator(`.row[data-conversation="${first}"]`).click();
await says(again, '.said.theirs .bubble', 'Said while you were away');
await write(again, 'From the other tab');
await says(ada, '.said.mine .bubble', 'From the other tab');
await again.close();

// A note is no reply, and its customer never sees it.
await outOfFields(ada);
await ada.keyboard.press('n');
await ada.locator('.composer.note').waitFor();
await write(ada, 'She was angry last time, too.');
await says(ada, '.said.note .bubble', 'She was angry last time, too.');
await accessible(ada, 'a note');
// Back to the reply, and written at once: nothing of it goes to the note.
await ada.keyboard.press('Alt+n');
await write(ada, 'It is with you tomorrow.');
await says(zoe, '.message.agent .text', 'It is with you tomorrow.');
check((await zoe.locator('.message', { hasText: 'angry' }).count()) === 0, 'the customer sees no note');

// A saved reply, found by a slash and its name.
await outOfFields(ada);
await ada.keyboard.press('c');
await ada.getByRole('button', { name: 'New reply' }).click();
await ada.getByLabel('Name, without the /').fill('thanks');
await ada.getByLabel('Text').fill('Thank you, {name}! {agent}');
await accessible(ada, 'a saved reply');
await ada.getByRole('button', { name: 'Save' }).click();
await says(ada, '.replies .name', '/thanks');
await ada.keyboard.press('Escape');
await ada.locator('#composer').fill('');
await ada.locator('#composer').pressSequentially('/tha');
await ada.getByRole('option', { name: '/thanks' }).waitFor();
await accessible(ada, 'saved replies');
await ada.keyboard.press('Enter');
await ada.keyboard.press('Enter');
await says(zoe, '.message.agent .text', 'Thank you, Zoë 🙂! ada');

// Given to a colleague who joins first, and then has it.
await outOfFields(ada);
await ada.keyboard.press('t');
await ada.locator('#transfer_to').fill('eve');
await ada.getByRole('option', { name: 'eve' }).waitFor();
await ada.getByLabel('Ask a colleague to join first').check();
await accessible(ada, 'a transfer');
await ada.locator('#transfer_to').press('Enter');
await offered(eve, 'Zoë');
await eve.getByRole('button', { name: 'Join' }).click();
await chosen(eve, 'Zoë');
await says(eve, '.said.note .bubble', 'She was angry last time, too.');
await says(ada, '.head', 'has joined');
await write(eve, 'Eve here as well.');
await says(ada, '.said.colleague .bubble', 'Eve here as well.');
await says(zoe, '.message.agent .text', 'Eve here as well.');
await ada.getByRole('button', { name: 'Hand over' }).click();
await says(eve, '.facts', 'You');
await gone(ada, `.row[data-conversation="${first}"]`);

// Wrap-up, with what the workspace demands: it says what is missing, where.
await eve.locator('#close').click();
await eve.locator('.wrap-up').waitFor();
await says(zoe, '.event', 'The conversation has ended');
await accessible(eve, 'wrap-up');
await eve.getByRole('button', { name: 'More time' }).click();
await eve.locator('#wrap_up_done').click();
await says(eve, 'dialog h2', 'Before you finish with Zoë');
await eve.locator('dialog').getByRole('button', { name: 'Done' }).click();
await says(eve, 'dialog .fault', 'Order is missing.');
check((await eve.evaluate(() => document.activeElement?.id)) === 'finish_order', 'the field at fault has the focus');
await accessible(eve, 'a label is missing');
await eve.getByLabel('Order').last().fill('4711');
await eve.keyboard.press('Enter');
await gone(eve, 'dialog');
await gone(eve, `.row[data-conversation="${first}"]`);
const facts = await api('GET', `conversations/${first}`);
check(facts.state === 'closed' && facts.labels.fields.order === '4711', `labelled and closed: ${JSON.stringify(facts)}`);

// Declined, and then picked from the queue after all, where that is allowed; tagged; closed by keys.
await status(ada, 'Away');
const cy = await visitor('Cy', 'A gift card, please');
await offered(eve, 'Cy');
await eve.keyboard.press('Alt+r');
await eve.locator('[role=menu]').waitFor();
await eve.keyboard.press('1');
await gone(eve, '.offer');
await outOfFields(eve);
await eve.keyboard.press('g');
await eve.keyboard.press('q');
await eve.getByRole('button', { name: 'Take Cy' }).waitFor();
await accessible(eve, 'a queue');
await eve.getByRole('button', { name: 'Take Cy' }).click();
await chosen(eve, 'Cy');
await eve.locator('.labels').getByLabel('Tags').fill('vip');
await eve.locator('.labels').getByLabel('Tags').press('Enter');
await says(eve, '.tags', 'vip');
await eve.locator('.labels').getByLabel('Disposition').selectOption('solved');
await eve.locator('.labels').getByLabel('Order').fill('12');
await eve.locator('.labels').getByLabel('Order').press('Tab');
const third = await idOf(eve);
const labelled = async () => (await api('GET', `conversations/${third}`)).labels;
while ((await labelled())?.fields?.order !== '12') await eve.waitForTimeout(50);
check((await labelled()).disposition === 'solved' && (await labelled()).tags[0] === 'vip', `labels: ${JSON.stringify(await labelled())}`);
await accessible(eve, 'labels');
await outOfFields(eve);
await eve.keyboard.press('e');
await eve.locator('.wrap-up').waitFor();
await outOfFields(eve);
await eve.keyboard.press('e');
await gone(eve, `.row[data-conversation="${third}"]`);
await says(cy, '.event', 'The conversation has ended');

// Past conversations are found by what was said, and can be read.
const office = await signedIn(await context(), 'console', boss);
await office.locator('#status').waitFor();
await office.keyboard.press('g');
await office.keyboard.press('p');
await office.locator('#past_text').fill('parcel');
await office.keyboard.press('Enter');
await office.locator('.list .row', { hasText: 'Zoë' }).click();
await says(office, 'dialog .bubble', 'Where is my parcel?');
await accessible(office, 'a past conversation');
await office.keyboard.press('Escape');
await office.close();

// Every key is in the overlay, which a key opens.
await outOfFields(ada);
await ada.keyboard.press('?');
await says(ada, 'dialog .keymap', 'Decline it');
await accessible(ada, 'the keyboard');
await ada.keyboard.press('Escape');
await ada.keyboard.press(',');
await says(ada, 'dialog legend', 'When there is an offer');
await accessible(ada, 'settings');
await ada.keyboard.press('Escape');

for (const page of [zoe, bob, cy]) await page.context().close();
await ofEve.close();
await ofAda.close();

await loads({ token, status, offered });
await looks({ token, token2, status, write, offered });

// Who is not signed in is at a door, told of a bad token at the sign-in, and comes back to where it was with a good one.
for (const [name, options] of [
  ['light', { colorScheme: 'light' }],
  ['dark', { colorScheme: 'dark' }],
  ['phone', { colorScheme: 'light', viewport: { width: 390, height: 780 }, isMobile: true, hasTouch: true }],
  ['phone-dark', { colorScheme: 'dark', viewport: { width: 390, height: 780 }, isMobile: true, hasTouch: true }],
]) {
  const place = await context(options);
  const stranger = await tab(place, `${url}/wallboard/${workspace}?find=ada`);
  const way = stranger.getByRole('link', { name: 'Sign in with a token' });
  await way.waitFor();
  await accessible(stranger, `the door, ${name}`);
  await picture(stranger, `door-${name}`);
  // Where the workspace has a provider, the page says so, and both ways are there.
  const address = '**/wallboard/*';
  await stranger.route(address, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: (await response.text()).replace('<html ', '<html data-provider ') });
  });
  await stranger.reload();
  const to = encodeURIComponent(`/wallboard/${workspace}?find=ada`);
  check((await stranger.getByRole('link', { name: 'Sign in with your organisation' }).getAttribute('href')) === `/signin/${workspace}?to=${to}`, 'the way to the provider');
  await accessible(stranger, `two ways, ${name}`);
  await picture(stranger, `door-two-${name}`);
  await stranger.unroute(address);
  await way.click();
  const sign = async (given) => {
    await stranger.getByLabel('Agent’s token').fill(given);
    await stranger.getByRole('button', { name: 'Sign in' }).click();
  };
  await stranger.getByLabel('Agent’s token').waitFor();
  await accessible(stranger, `the sign-in, ${name}`);
  await fits(stranger, `the sign-in, ${name}`);
  await picture(stranger, `signin-${name}`);
  await sign('nonsense');
  await stranger.getByRole('alert').waitFor();
  await accessible(stranger, `a bad token, ${name}`);
  await picture(stranger, `signin-bad-${name}`);
  await sign(boss);
  await stranger.locator('.board').waitFor();
  check(stranger.url() === `${url}/wallboard/${workspace}?find=ada`, `back at the board as it was, and not at ${stranger.url()}`);
  await stranger.reload();
  await stranger.locator('.board').waitFor();
  // The same page again by a link, where it is open: whose the token is is said before anything is done with it.
  await stranger.goto(`${url}/signin/${workspace}/token`);
  await stranger.goto(`${url}/signin/${workspace}/token#${token2}`);
  await stranger.locator('#whose', { hasText: 'eve' }).waitFor();
  check(!stranger.url().includes('#'), `the token is not in the address any more: ${stranger.url()}`);
  await accessible(stranger, `a link, ${name}`);
  await picture(stranger, `signin-link-${name}`);
  await stranger.getByRole('button', { name: 'Sign in' }).click();
  await stranger.locator('#status').waitFor();
  // Out, and loaded again it is at the door.
  await stranger.getByRole('button', { name: /eve/ }).click();
  await stranger.getByRole('menuitem', { name: 'Sign out' }).click();
  await stranger.locator('dialog').getByRole('button', { name: 'Sign out' }).click();
  await stranger.getByText('you are signed out').waitFor();
  await accessible(stranger, `signed out, ${name}`);
  await picture(stranger, `signed-out-${name}`);
  await stranger.getByRole('link', { name: 'Sign in' }).click();
  await way.waitFor();
  await place.close();
}
check(complaints.length === 0, `complaints: ${complaints.join('\n')}`);
await browser.close();
console.log('done');
process.exit(0);
