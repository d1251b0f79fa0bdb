// Files in the messenger, in Chromium, against the real server: a customer on a strict page adds, sends, looks and saves; an agent answers through
// the client library. The server is killed while a file is on its way.
import { createInterface } from 'node:readline';
import { accepted, agent, until } from './agent.mjs';
import { context, focused, pages, tab, write } from './messenger_shop.mjs';
import { accessible, browser, check, complaints, picture, says, url } from './pages.mjs';
import { PROGRAM, SVG, file, given, pdf, png, saved, slow } from './pictures.mjs';

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const said = (id, name) => until(({ threads }) => threads[id]?.messages.find(({ files }) => files?.some((one) => one.name === name)), name);

const place = await context();
const page = await tab(place, { pictures: 'yes' });
const field = page.locator('textarea[enterkeyhint]');
const add = (...files) => page.locator('input[type=file]').setInputFiles(files);
const send = () => field.press('Enter');
const chip = (name) => page.locator('.chip', { hasText: name });

await page.locator('.launcher').click();
await write(page, 'My parcel came broken');
const id = await accepted();
check(agent.state.settings.files.types.includes('application/pdf'), `what is taken: ${JSON.stringify(agent.state.settings.files)}`);

// A picture, a paper under a hostile name, and what is refused here at once: each shown before it is sent, by its name and size.
const photo = png(900, 600);
const hostile = '<img src=x onerror="alert(1)">\u202egnp.pdf';
await page.locator('.clip:visible').waitFor();
await accessible(page, 'the clip');
await add(file('parcel.png', 'image/png', photo), file(hostile, 'application/pdf', pdf()), file('film.mp4', 'video/mp4', Buffer.alloc(100)), file('huge.png', 'image/png', Buffer.alloc(10_485_761)));
await page.locator('.chip.up', { hasText: 'parcel.png' }).waitFor();
await page.locator('.chip.up', { hasText: '<img src=x onerror="alert(1)">gnp.pdf' }).waitFor();
await says(page, '.chip.refused .how', 'PNG, JPEG, GIF, WEBP, PDF, TXT');
await says(page, '.chip.refused .how', 'Too large: ');
check((await page.locator('.chip img').count()) <= 2, 'a name is text');
await accessible(page, 'added');
await picture(page, 'files-added');
await field.fill('Here it is');
await send();
const told = await said(id, 'parcel.png');
check(told.text === 'Here it is' && told.files[0].width === 900 && told.files[0].height === 600, JSON.stringify(told));
check(Buffer.from(await (await agent.readFile(id, told.files[0].file)).arrayBuffer()).equals(photo), 'the agent reads the same bytes');
await page.locator('.message.mine .pic img[src]').waitFor();
for (const name of ['film.mp4', 'huge.png']) await chip(name).getByRole('button', { name: 'Remove' }).click();
check((await page.locator('.chip').count()) === 0 && (await focused(page)) === 'TEXTAREA', 'what was refused is gone, and one writes on');

// Large, and back where it was.
await page.locator('.message.mine .pic').focus();
await page.keyboard.press('Enter');
await page.locator('dialog img[src]').waitFor();
await accessible(page, 'large');
await picture(page, 'files-large');
await page.keyboard.press('Escape');
await page.locator('dialog').waitFor({ state: 'detached' });
check((await focused(page)) === 'pic' && (await page.locator('.panel').isVisible()), 'the focus is back, and the panel is open');

// The agent answers: a picture whose place is there before it is, and a paper to keep, by keyboard.
let go = () => {};
const held = new Promise((done) => (go = done));
await page.route(/\/files\/[^?]+$/, (route) => held.then(() => route.continue()));
const drawing = await agent.upload(id, new File([png(300, 500, { hue: 90 })], 'drawing.png', { type: 'image/png' }));
const paper = pdf(300_000);
const form = await agent.upload(id, new File([paper], 'Rücksendung 1.pdf', { type: 'application/pdf' }));
await agent.send(id, 'Print this one, please', [drawing, form]);
const shape = await page.locator('.message.agent .pic').boundingBox();
check(shape.width > 100 && shape.height > shape.width, `its place: ${JSON.stringify(shape)}`);
check((await page.locator('.message.agent .pic img[src]').count()) === 0, 'it is not there yet');
go();
await page.locator('.message.agent .pic img[src]').waitFor();
await page.unroute(/\/files\/[^?]+$/);
const after = await page.locator('.message.agent .pic').boundingBox();
check(after.width === shape.width && after.height === shape.height, `nothing jumped: ${JSON.stringify(after)}`);
check(await page.locator('.log').evaluate((log) => log.scrollHeight - log.scrollTop - log.clientHeight < 2), 'the last is in sight');
await accessible(page, 'answered');
await picture(page, 'files');
const row = page.locator('.message.agent .file');
await row.focus();
const kept = await saved(page, () => page.keyboard.press('Enter'));
check(kept.name === 'Rücksendung 1.pdf' && kept.content.equals(paper), `saved: ${kept.name}, ${kept.content.length}`);

// What only the server knows: a program that is called a picture. A picture that is a program stays one to nobody.
await add(file('holiday.png', 'image/png', PROGRAM), file('drawing.svg', 'image/svg+xml', SVG), file('notes.txt', 'text/plain', SVG));
await says(page, '.chip.refused', 'holiday.png');
await says(page, '.chip.refused', 'drawing.svg');
await page.locator('.chip:not(.going)', { hasText: 'notes.txt' }).waitFor();
await send();
await page.waitForFunction(() => !document.querySelector('offhook-messenger').shadowRoot.querySelector('.chip.up'));
for (let left = await page.locator('.chip').count(); left > 0; left--) await page.locator('.chip').first().getByRole('button', { name: 'Remove' }).click();

// Pasted, and dropped; at most five.
check(await given(page, 'textarea[enterkeyhint]', 'paste', [file('image.png', 'image/png', png(40, 40))]), 'a picture is taken from the clipboard');
check(await given(page, '.log', 'dragover', [file('dropped.png', 'image/png', png(40, 40))]), 'it may be dropped');
await page.locator('.drop:visible').waitFor();
await given(page, '.log', 'drop', [1, 2, 3, 4, 5].map((hue) => file(`dropped ${hue}.png`, 'image/png', png(40, 40, { hue }))));
await page.locator('.drop').waitFor({ state: 'hidden' });
await says(page, '.hint', '5');
check((await page.locator('.chip').count()) === 5, 'five and no more');
await send();
await said(id, 'dropped 4.png');
await page.locator('.chip').first().waitFor({ state: 'detached' });

// Killed in the middle: it says that it waits, is sent once, and the message goes when it is up.
const normal = await slow(page, 150_000);
const large = png(900, 600, { noise: true, hue: 1 });
await add(file('large.png', 'image/png', large));
await page.waitForFunction(() => document.querySelector('offhook-messenger').shadowRoot.querySelector('progress')?.value > 0);
await picture(page, 'files-going');
await field.fill('The whole of it');
await send();
await says(page, '.hint', 'Sent as soon as');
console.log('kill');
await lines.next();
await normal();
const whole = await said(id, 'large.png');
check(whole.text === 'The whole of it' && whole.files[0].bytes === large.length, JSON.stringify(whole));
await until(({ threads }) => threads[id].messages.filter(({ files }) => files?.some(({ name }) => name === 'large.png')).length === 1, 'once');

// Without a connection it waits, and says so; a message that has its files waits with them, over a reload.
await page.route('**/files?*', (route) => route.abort());
await add(file('waits.png', 'image/png', png(60, 60)));
await says(page, '.chip.waits .how', 'Not sent yet');
await page.unroute('**/files?*');
await page.locator('.chip.up', { hasText: 'waits.png' }).waitFor();
await page.route('**/messages', (route) => route.abort());
await send();
await page.locator('.message.pending .pic').waitFor();
await page.reload();
await page.locator('.message.pending .pic img[src]').waitFor();
await page.unroute('**/messages');
await said(id, 'waits.png');

// As others see it: dark, in Arabic, on a phone.
for (const [name, query, options] of [
  ['files-rtl-dark', { 'data-language': 'ar', 'data-theme': 'dark' }, { viewport: { width: 390, height: 780 } }],
  ['files-dark', { 'data-theme': 'dark', 'data-language': 'de' }, {}],
]) {
  const other = await context({ storageState: await place.storageState(), ...options });
  const seen = await tab(other, { pictures: 'yes', ...query });
  await seen.locator('.launcher').click();
  await seen.locator('.pic[aria-label*="large.png"] img[src]').waitFor();
  await seen.locator('input[type=file]').setInputFiles([file('صورة.png', 'image/png', photo), file('film.mp4', 'video/mp4', Buffer.alloc(9))]);
  await seen.locator('.chip.up').waitFor();
  await accessible(seen, name);
  await picture(seen, name);
  await other.close();
}

// A conversation may begin with a picture alone.
const fresh = await tab(await context(), { pictures: 'yes' });
await fresh.locator('.launcher').click();
await fresh.locator('input[type=file]').setInputFiles([file('first.png', 'image/png', png(80, 60))]);
await fresh.locator('.chip').waitFor();
await fresh.locator('textarea[enterkeyhint]').press('Enter');
const begun = await accepted();
check((await said(begun, 'first.png')).number === 1, 'it is the first message');
await fresh.locator('.message.mine .pic img[src]').waitFor();

check(complaints.length === 0, complaints.join('\n'));

// Where a page's policy has no place for pictures, they are rows to save.
const bare = await context({ storageState: await place.storageState() });
const plain = await tab(bare);
await plain.locator('.launcher').click();
await plain.locator('.message .file', { hasText: 'parcel.png' }).waitFor();
const parcel = await saved(plain, () => plain.locator('.message .file', { hasText: 'parcel.png' }).click());
check(parcel.content.equals(photo), 'saved all the same');

agent.stop();
await browser.close();
pages.close();
console.log('done');
process.exit(0);
