// Files in the console, in Chromium, against the real server: an agent looks at what a customer has sent, answers with files by button, key, paste
// and drop, and reads on in a thread of many pictures. The server is killed while a file is on its way.
import { createInterface } from 'node:readline';
import { accessible, browser, check, complaints, context, gone, picture, says, signedIn, until, visitor } from './pages.mjs';
import { PROGRAM, file, given, pdf, png, saved, slow } from './pictures.mjs';

const { OFFHOOK_TOKEN: token } = process.env;
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

const page = await signedIn(await context({ colorScheme: 'light' }), 'console', token);
await page.locator('#status').waitFor();
await page.keyboard.press('s');
await page.getByRole('menuitemradio', { name: 'Available', exact: true }).first().click();
const zoe = await visitor('Zoë', 'My parcel came broken');
await page.locator('.offer', { hasText: 'Zoë' }).waitFor();
await page.keyboard.press('Alt+a');
await says(page, '.head h1', 'Zoë');
const field = page.locator('#composer');
const add = (...files) => page.locator('#pick').setInputFiles(files);
const sends = (...files) => zoe.locator('input[type=file]').setInputFiles(files);

// The customer sends a picture: it is there, opens large and gives the focus back.
await zoe.locator('.clip:visible').waitFor();
const photo = png(900, 600);
await sends(file('parcel <b>\u202egnp.png', 'image/png', photo), file('invoice.pdf', 'application/pdf', pdf()));
await zoe.locator('textarea[enterkeyhint]').press('Enter');
await page.locator('.said.theirs .pic img[src]').waitFor();
await says(page, '.row', 'parcel <b>gnp.png, invoice.pdf');
check((await page.locator('.said b, .row b').count()) === 0, 'a name is text');
await accessible(page, 'a picture');
await picture(page, 'files');
await page.locator('.said.theirs .pic').focus();
await page.keyboard.press('Enter');
await page.locator('dialog img[src]').waitFor();
await accessible(page, 'large');
await picture(page, 'files-large');
const kept = await saved(page, () => page.locator('dialog').getByRole('button', { name: 'Download' }).click());
check(kept.content.equals(photo), `the same bytes: ${kept.content.length}`);
await page.keyboard.press('Escape');
await gone(page, 'dialog');
check(await page.evaluate(() => document.activeElement?.classList.contains('pic')), 'the focus is back');

// An answer with a paper; what is refused says why, here or by the server.
const chosen = page.waitForEvent('filechooser');
await field.focus();
await page.keyboard.press('Alt+u');
await (await chosen).setFiles([file('label.pdf', 'application/pdf', pdf(9_000)), file('film.mp4', 'video/mp4', Buffer.alloc(9)), file('huge.png', 'image/png', Buffer.alloc(10_485_761)), file('holiday.png', 'image/png', PROGRAM)]);
await page.locator('.chip.up', { hasText: 'label.pdf' }).waitFor();
for (const name of ['film.mp4', 'huge.png', 'holiday.png']) await says(page, '.chip.refused', name);
await says(page, '.chip .how', 'Too large: 10 MB at most');
await says(page, '.chip .how', 'Not of a kind that is taken (PNG, JPEG');
await field.fill('Print this one');
await accessible(page, 'added');
await picture(page, 'files-added');
await field.press('Enter');
await says(page, '.said.mine .file', 'label.pdf');
await zoe.locator('.message.agent .file', { hasText: 'label.pdf' }).waitFor();
const label = await saved(zoe, () => zoe.locator('.message.agent .file').click());
check(label.name === 'label.pdf' && label.content.equals(pdf(9_000)), `the customer has it: ${label.name}`);
check((await field.inputValue()) === '' && (await page.locator('.chip').count()) === 3, 'what was refused stays until it is put away');
for (let left = 3; left > 0; left--) await page.locator('.chip').first().getByRole('button', { name: 'Remove' }).click();
await gone(page, '.chip');

// Pasted and dropped; not into a note.
check(await given(page, '#composer', 'paste', [file('image.png', 'image/png', png(40, 40))]), 'a picture is taken from the clipboard');
await page.locator('.chip.up').waitFor();
await given(page, '.log', 'dragover', [file('dropped.txt', 'text/plain', Buffer.from('Hello'))]);
await page.locator('.drop').waitFor();
await given(page, '.log', 'drop', [file('dropped.txt', 'text/plain', Buffer.from('Hello'))]);
await gone(page, '.drop');
await page.locator('.chip.up').nth(1).waitFor();
await page.keyboard.press('Alt+n');
await page.locator('.composer.note').waitFor();
check((await page.locator('.chip, #attach').count()) === 0, 'a note has no files');
await page.keyboard.press('Alt+n');
await page.locator('.composer:not(.note) .chip.up').nth(1).waitFor();
await field.press('Enter');
await says(page, '.said.mine .file', 'dropped.txt');

// Killed in the middle: it goes on, and the message goes when it is up.
const normal = await slow(page, 150_000);
await add(file('large.png', 'image/png', png(900, 600, { noise: true })));
await until(page, () => document.querySelector('.chip progress')?.value > 0);
await field.fill('The whole of it');
await field.press('Enter');
await says(page, '.pad-chips', 'Sent as soon as');
console.log('kill');
await lines.next();
await normal();
await says(page, '.said.mine .bubble', 'The whole of it');
await gone(page, '.chip');
await zoe.locator('.message.agent .text', { hasText: 'The whole of it' }).waitFor();

// Many pictures: those that are near are there, and no others hold anything.
for (let message = 0; message < 8; message++) {
  await sends(...[0, 1, 2, 3, 4].map((one) => file(`many ${message} ${one}.png`, 'image/png', png(320, 280, { hue: message * 30 + one }))));
  await zoe.locator('.chip.up').nth(4).waitFor();
  await zoe.locator('textarea[enterkeyhint]').press('Enter');
  await zoe.locator('.chip').first().waitFor({ state: 'detached' });
}
await page.locator('[aria-label="Open many 7 4.png"] img[src]').waitFor();
await until(page, () => document.querySelectorAll('.pic img[src]').length < 12 && document.querySelectorAll('.pic img').length >= 42);
await page.locator('.log').evaluate((log) => (log.scrollTop = 0));
await page.locator('.said.theirs .pic img[src]').first().waitFor();
await until(page, () => document.querySelectorAll('.pic img[src]').length < 12);

// As others see it.
const small = await signedIn(await context({ colorScheme: 'dark', viewport: { width: 390, height: 780 } }), 'console', token);
await small.locator('.row').first().click();
await small.locator('.pic img[src]').first().waitFor();
await small.locator('#pick').setInputFiles([file('photo.png', 'image/png', photo), file('film.mp4', 'video/mp4', Buffer.alloc(9))]);
await small.locator('.chip.up').waitFor();
await accessible(small, 'dark, on a phone');
await picture(small, 'files-phone-dark');

check(complaints.length === 0, complaints.join('\n'));
await browser.close();
console.log('done');
process.exit(0);
