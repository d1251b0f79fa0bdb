// The status page in Chromium: wide and narrow, light and dark, by keyboard, and when something changes while it is read.
import { createInterface } from 'node:readline';
import { accessible, browser, check, complaints, context, fits, picture, tab, url } from './pages.mjs';

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const address = `${url}/status`;

for (const [name, options] of [
  ['status-light', { viewport: { width: 1280, height: 900 }, colorScheme: 'light' }],
  ['status-dark', { viewport: { width: 1280, height: 900 }, colorScheme: 'dark' }],
  ['status-phone', { viewport: { width: 375, height: 800 }, colorScheme: 'light' }],
  ['status-phone-dark', { viewport: { width: 375, height: 800 }, colorScheme: 'dark' }],
]) {
  const place = await context(options);
  const page = await tab(place, address);
  await page.getByText('Asked again at').waitFor();
  await accessible(page, name);
  await fits(page, name);
  await picture(page, name);
  await page.getByText('1 day with trouble').first().click();
  await accessible(page, `${name}, days`);
  await fits(page, `${name}, days`);
  await picture(page, `${name}-days`);
  await place.close();
}

const page = await tab(await context(), address);
await page.getByText('Asked again at').waitFor();
check((await page.locator('body').textContent()).includes('Messenger: major outage'), 'an incident and its lines');
check(!(await page.content()).includes('disk'), 'reasons are for who runs the server');
check((await page.locator('.component').count()) === 4, 'four components');
// By keyboard: the days that the bars show.
await page.keyboard.press('Tab');
await page.keyboard.press('Enter');
check(await page.locator('details').first().evaluate((details) => details.open), 'days are opened by keyboard');
check((await page.locator('.days').first().textContent()).includes('% up'), 'a day says how much of it was up');

// Something happens while it is read: it says so, and stays as it is.
const again = () => page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
await page.route('**/status.json', (route) => route.abort());
await again();
await page.getByText('The server does not answer now').waitFor();
await accessible(page, 'no answer');
await page.unroute('**/status.json');
console.log('kill');
await lines.next();
await page.evaluate(() => (window.same = true));
// Until the history tells of the restart.
for (;;) {
  await again();
  const said = page.getByText('The status has changed.');
  if (await said.waitFor({ timeout: 500 }).then(() => true, () => false)) break;
}
check(await page.evaluate(() => window.same), 'it was not loaded anew under its reader');
await page.getByRole('link', { name: 'Show it as it is now' }).click();
await page.waitForFunction(() => !window.same);
check((await page.locator('.incident').count()) >= 2, 'what happened meanwhile is told');

check(complaints.length === 0, `a page complained: ${complaints.join('\n')}`);
await browser.close();
console.log('done');
process.exit(0);
