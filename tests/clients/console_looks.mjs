// How the console looks: a working day's scene, in each size and colour. For the documents, and for whoever changes it to look at.
import { accessible, api, change, context, customer, picture, says, signedIn, until } from './pages.mjs';

/** Who writes what, and what Ada has said to it. */
const SCENE = [
  { name: 'Zoë Martín', metadata: { page: '/orders/48213', email: 'zoe@example.org', plan: 'Team' }, said: ['Hi! My parcel was to come on Monday, and it is still not here.', '> Good morning, Zoë! I am sorry about that. May I have the number of your order?', '48213. It was sent on the 19th, says the page.', '! The depot in Leeds had a backlog last week.', '> Thank you. It left our house on Friday, and the depot in Leeds has had it since this morning: https://track.example/48213', 'Ah, so close already. Will it be here tomorrow? I am only at home until noon.'] },
  { name: 'Bilal Haddad', metadata: { page: '/pricing' }, said: ['مرحبا، هل يمكنني الدفع بالتقسيط؟', '> أهلًا بلال! نعم، على ثلاث دفعات.'] },
  { name: 'Ingrid Sørensen', metadata: { page: '/returns' }, said: ['Can I still return the lamp? I bought it in October.'] },
  { name: 'Tom Okafor', metadata: { page: '/account' }, said: ['I cannot sign in since the update.', '> Which browser is that, Tom?', 'Firefox, on a Mac.', '> Please load the page again; we mended it an hour ago.'] },
];

async function talk(page, one) {
  const { name, metadata, said } = one;
  const [first, ...rest] = said;
  const who = await customer(first, { name, metadata });
  await page.locator('.offer', { hasText: name }).waitFor();
  await page.keyboard.press('Alt+a');
  await page.locator('.head h1', { hasText: name }).waitFor();
  for (const text of rest) {
    if (text.startsWith('! ')) {
      await page.keyboard.press('Alt+n');
      await page.locator('.composer.note').waitFor();
      await page.locator('#composer').fill(text.slice(2));
      await page.locator('#composer').press('Enter');
      await says(page, '.said.note .bubble', text.slice(2));
      await page.keyboard.press('Alt+n');
    } else if (text.startsWith('> ')) {
      await page.locator('#composer').fill(text.slice(2));
      await page.locator('#composer').press('Enter');
      await says(page, '.said.mine .bubble', text.slice(2));
    } else {
      await who.write(text);
    }
    await until(page, (text) => [...document.querySelectorAll('.bubble')].some((one) => one.textContent === text), text.replace(/^[>!] /, ''));
  }
  return who;
}

export async function looks({ token, status }) {
  for (const found of (await api('GET', 'conversations?state=active&limit=200')).conversations) await api('POST', `conversations/${found.conversation}/close`, {});
  await change('settings', { channels: (await api('GET', 'settings')).channels.map((channel) => (channel.name === 'chat' ? { ...channel, capacity: 9, weight: 10 } : channel)) });
  await change('settings', { labels: { dispositions: ['solved', 'refunded', 'no_answer'], tags: ['vip', 'delivery', 'bug'], fields: [{ name: 'order', type: 'text' }] } });
  const place = await context({ viewport: { width: 1360, height: 820 }, colorScheme: 'light' });
  const page = await signedIn(place, 'console', token);
  await page.locator('#status').waitFor();
  await status(page, 'Available');
  const people = [];
  for (const one of [...SCENE].reverse()) people.unshift(await talk(page, one));
  const [zoe] = people;
  await page.locator(`.row[data-conversation="${zoe.conversation}"]`).click();
  await page.locator('.labels').getByLabel('Order').fill('48213');
  await page.locator('.labels').getByLabel('Tags').fill('delivery');
  await page.locator('.labels').getByLabel('Tags').press('Enter');
  await says(page, '.tags', 'delivery');
  await page.locator('#composer').fill('Yes: between nine and eleven. I have');
  // Only for the pictures: an offer that has its time.
  await change('settings', { channels: (await api('GET', 'settings')).channels.map((channel) => ({ ...channel, offer_ms: 90_000 })) });
  await customer('Do you have this in green?', { name: 'Mei Tanaka', metadata: { page: '/lamps/atlas' } });
  await page.locator('.offer', { hasText: 'Mei' }).waitFor();
  await zoe.typing();
  await says(page, '.log > .typing', 'is typing').catch(() => {});
  await accessible(page, 'light');
  await picture(page, 'console-light');
  await page.emulateMedia({ colorScheme: 'dark' });
  await accessible(page, 'dark');
  await picture(page, 'console-dark');
  await page.keyboard.press('Alt+r');
  await picture(page, 'console-decline-dark');
  await page.keyboard.press('Escape');
  await page.setViewportSize({ width: 390, height: 780 });
  await accessible(page, 'phone, a conversation');
  await picture(page, 'console-phone-dark');
  await page.emulateMedia({ colorScheme: 'light' });
  await picture(page, 'console-phone');
  await page.getByRole('button', { name: 'Accept' }).click();
  await page.locator('.offer').waitFor({ state: 'hidden' });
  await page.getByRole('button', { name: 'Back to the list' }).click();
  await accessible(page, 'phone, the list');
  await picture(page, 'console-phone-list');
  await page.locator(`.row[data-conversation="${zoe.conversation}"]`).click();
  await page.getByRole('button', { name: 'Details' }).click();
  await accessible(page, 'phone, details');
  await picture(page, 'console-phone-details');
  await page.setViewportSize({ width: 1024, height: 700 });
  await picture(page, 'console-middle');
  await page.setViewportSize({ width: 1360, height: 820 });
  await page.evaluate(() => document.activeElement?.blur());
  await page.keyboard.press('?');
  await page.locator('dialog .keymap').waitFor();
  await picture(page, 'console-keys');
  await page.keyboard.press('Escape');
  await page.keyboard.press('t');
  await page.locator('.choices li').first().waitFor();
  await picture(page, 'console-transfer');
  await page.keyboard.press('Escape');
  await place.close();
}
