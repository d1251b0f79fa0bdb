// A console that is open all day: conversations come, are talked in and go, the server is killed in between, and what the page holds is
// looked at. A minute or so by default; an hour: `just console-hour`.
import { createInterface } from 'node:readline';
import { api, change, check, complaints, context, customer, gone, says, signedIn } from './pages.mjs';

const { OFFHOOK_TOKEN: token, OFFHOOK_CONSOLE_SECONDS: seconds = '20' } = process.env;
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const OPEN = 30;
/** Customers' messages in a second, all together; what a conversation has when it is closed. */
const MESSAGES_PER_S = 5;
const MESSAGES = 40;
const LOOKS = 20;

await change('settings', {
  channels: (await api('GET', 'settings')).channels.map((channel) => (channel.name === 'chat' ? { ...channel, wrap_up_ms: 0, capacity: OPEN + 10, weight: 1 } : channel)),
});
const place = await context();
const page = await signedIn(place, 'console', token);
await page.locator('#status').waitFor();
await api('PUT', 'agents/ada', { capacity_total: 1_000 });

const devtools = await place.newCDPSession(page);
await devtools.send('Performance.enable');
/** What the page holds when everything that nobody holds is gone. */
async function held() {
  await devtools.send('HeapProfiler.collectGarbage');
  const { metrics } = await devtools.send('Performance.getMetrics');
  const of = (name) => metrics.find((one) => one.name === name).value;
  return { heap: of('JSHeapUsedSize'), nodes: of('Nodes'), listeners: of('JSEventListeners') };
}

let number = 0;
const open = [];
async function another() {
  const one = { messages: 1, ...(await customer(`Good morning, this is question ${++number}`, { name: `Customer ${number}`, metadata: { page: `/page/${number}` } })) };
  await api('POST', `conversations/${one.conversation}/assign`, { agent: 'ada', force: true });
  await page.locator(`.row[data-conversation="${one.conversation}"]`).waitFor();
  open.push(one);
}
/** The one that has been talked in most goes, and another comes. */
async function round(turn) {
  const one = open[turn % OPEN];
  await one.write(`Something more to say of it, in so many words: ${turn}`);
  one.messages += 1;
  if (turn % (2 * MESSAGES_PER_S) === 0) {
    await page.locator(`.row[data-conversation="${one.conversation}"]`).click();
    await says(page, '.said .bubble', `in so many words: ${turn}`);
    await page.locator('#composer').fill(`An answer to ${turn}`);
    await page.locator('#composer').press('Enter');
    await says(page, '.said.mine .bubble', `An answer to ${turn}`);
  }
  if (one.messages < MESSAGES) return;
  open.splice(open.indexOf(one), 1);
  await api('POST', `conversations/${one.conversation}/close`, {});
  await gone(page, `.row[data-conversation="${one.conversation}"]`);
  await another();
}

while (open.length < OPEN) await another();
const began = performance.now();
const lasts = Number(seconds) * 1_000;
const looks = [];
let killed = false;
for (let turn = 0; performance.now() - began < lasts; turn++) {
  await round(turn);
  const due = (turn + 1) * (1_000 / MESSAGES_PER_S) - (performance.now() - began);
  if (due > 0) await new Promise((done) => setTimeout(done, due));
  const over = (performance.now() - began) / lasts;
  if (over < (looks.length + 1) / LOOKS) continue;
  looks.push({ at: (performance.now() - began) / 1_000, ...(await held()) });
  console.error(`${looks.at(-1).at.toFixed(0)} s: ${JSON.stringify(looks.at(-1))}`);
  if (killed || over < 0.5) continue;
  console.log('kill');
  await lines.next();
  killed = true;
}

const mib = (bytes) => (bytes / 2 ** 20).toFixed(2);
// The first fifth fills what is filled once.
const [first, last] = [looks[LOOKS / 5], looks.at(-1)];
console.log(`figure console_hour_seconds ${seconds} s`);
console.log(`figure console_hour_conversations ${number}`);
console.log(`figure console_heap_first_mib ${mib(first.heap)} MiB`);
console.log(`figure console_heap_last_mib ${mib(last.heap)} MiB`);
console.log(`figure console_heap_growth_bytes_per_s ${((last.heap - first.heap) / (last.at - first.at)).toFixed(0)} B/s`);
console.log(`figure console_nodes_first ${first.nodes}`);
console.log(`figure console_nodes_last ${last.nodes}`);
check(last.nodes < 2 * first.nodes && last.listeners < 2 * first.listeners, `what is not shown any more is kept: ${JSON.stringify([first, last])}`);
check(complaints.length === 0, complaints.join('\n'));
console.log('done');
process.exit(0);
