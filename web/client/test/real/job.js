// The whole job against the real server, which is killed in the middle of it: run by tests/web_client.rs, which kills it on the word `kill`
// and answers when it is there again.
//
// Two agents and a customer: a start, an offer that one rejects and the other accepts, messages both ways; then both write a lot at once,
// the server is killed under it, more is written while it is away, and everything is there exactly once. No status has changed.

import assert from 'node:assert/strict';
import { createInterface } from 'node:readline';
import WebSocket from 'ws';
import { AgentClient, MessengerClient } from '../../src/index.js';
import { until } from '../support.js';

const { OFFHOOK_URL: url = '', OFFHOOK_WORKSPACE: workspace = '', OFFHOOK_TOKEN = '', OFFHOOK_TOKEN_2 = '' } = process.env;
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const MANY = 25;

const agents = [OFFHOOK_TOKEN, OFFHOOK_TOKEN_2].map((token) => new AgentClient({ url, token, environment: { WebSocket } }));
/** What each agent's status was, each time that it was told. @type {string[][]} */
const told = agents.map(() => []);
for (const [at, agent] of agents.entries()) {
  agent.subscribe(({ status, available, channels }, { type }) => {
    if (['welcome', 'snapshot', 'status'].includes(type)) told[at]?.push(`${status} ${available} ${channels}`);
  });
  await agent.connect();
  await agent.setStatus('available', ['chat']);
}
for (const list of told) assert.equal(list.at(-1), 'available true chat');

const customer = new MessengerClient({ url, workspace });
customer.connect();
await customer.start({ text: 'q', name: 'Zoë', metadata: { page: '/pricing' } });
const id = customer.state.conversation?.conversation ?? '';
await until(customer, ({ stale }) => !stale);

/** Whoever is offered it, shows it. */
const offered = () => Promise.any(agents.map(async (agent) => {
  const { offers } = await until(agent, ({ offers }) => Object.keys(offers).length > 0, 'an offer');
  const [offer] = Object.values(offers);
  assert.ok(offer && offer.ends_at > agent.now() && offer.conversation.name === 'Zoë');
  await agent.delivered(offer.offer);
  return { agent, offer };
}));
const first = await offered();
await first.agent.reject(first.offer.offer, 'busy');
const second = await offered();
assert.notEqual(second.agent, first.agent);
await until(first.agent, ({ offers }) => Object.keys(offers).length === 0);
const { agent } = second;
assert.equal((await agent.accept(second.offer.offer)).conversation, id);
await until(agent, ({ conversations }) => conversations[id]?.state === 'active');
await agent.open(id);
await until(customer, ({ conversation }) => conversation?.state === 'active' && conversation.agent);

await agent.send(id, 'from the agent');
await until(customer, ({ messages }) => messages.length === 2);
await customer.send('from the customer');
await until(agent, ({ threads }) => threads[id]?.messages.length === 3);
agent.typing(id);
await until(customer, ({ typing_until }) => typing_until > 0);
customer.typing();
await until(agent, ({ threads }) => Object.keys(threads[id]?.typing ?? {}).length > 0);
await agent.read(id, 3);
await until(customer, ({ conversation }) => conversation?.read_by_agent === 3);
await agent.note(id, 'a note');

// A page does not hear pings: a question that changes nothing shows that somebody is there.
const { core } = agent;
assert.ok(core);
core.link.heardAt = -Infinity;
core.link.probe();
assert.notEqual(core.probe, '');
await agent.earlier(id);
assert.equal(core.probe, '', 'the probe was answered');

// Both write at once, and the server dies under it.
const before = told.map((list) => list.length);
const texts = { agent: /** @type {string[]} */ ([]), customer: /** @type {string[]} */ ([]) };
/** @type {Promise<any>[]} */
const written = [];
const write = (/** @type {string} */ when) => {
  for (let nth = 0; nth < MANY; nth++) {
    texts.agent.push(`agent ${when} ${nth}`);
    written.push(agent.send(id, `agent ${when} ${nth}`));
    // A customer may write ten at once.
    if (nth >= 5) continue;
    texts.customer.push(`customer ${when} ${nth}`);
    written.push(customer.send(`customer ${when} ${nth}`));
  }
};
write('before');
await Promise.any(written);
const unanswered = agent.state.pending.length;
console.log('kill');
await lines.next();
write('after');
assert.ok(unanswered > 0, 'nothing was under way when the server was killed');
await Promise.all(written);
const whole = 3 + texts.agent.length + texts.customer.length;
await until(agent, ({ threads, pending }) => threads[id]?.messages.length === whole && pending.length === 0, 'all of it');
await until(customer, ({ messages, pending }) => messages.length === whole && pending.length === 0, 'all of it');
for (const { messages } of [agent.state.threads[id] ?? { messages: [] }, customer.state]) {
  assert.deepEqual(messages.map(({ number }) => number), messages.map((_, at) => at + 1));
  for (const [who, wanted] of Object.entries(texts)) {
    assert.deepEqual(messages.map(({ text }) => text).filter((text) => text.startsWith(`${who} `)), wanted);
  }
}
for (const [at, one] of agents.entries()) {
  await until(one, ({ stale }) => !stale);
  assert.ok((told[at]?.length ?? 0) > (before[at] ?? 0), 'it was welcomed again');
  assert.deepEqual([...new Set(told[at]?.slice(before[at]))], ['available true chat'], 'a status that nobody chose');
}

// A page that is loaded anew finds all of it.
customer.stop();
const reloaded = new MessengerClient({ url, workspace, environment: { storage: customer.env.storage } });
reloaded.connect();
await until(reloaded, ({ stale, conversation }) => !stale && conversation?.conversation === id);
while (!reloaded.state.begins) await reloaded.earlier();
assert.equal(reloaded.state.messages.length, whole);

await agent.close(id);
await until(agent, ({ conversations }) => !conversations[id] || conversations[id].state === 'wrap_up');
await until(reloaded, ({ conversation }) => conversation?.state === 'closed');
assert.equal(reloaded.state.happened.at(-1)?.type, 'ended');
if (agent.state.conversations[id]) await agent.wrapUpDone(id);
await until(agent, ({ conversations }) => !conversations[id]);
await agent.signOut();
const { link } = await until(agent, ({ link }) => link.phase === 'stopped');
assert.equal(link.code, 4000);
assert.equal(agents.reduce((sum, { state }) => sum + state.ignored, reloaded.state.ignored), 0, 'frames that were not understood');
reloaded.stop();
for (const one of agents) one.stop();
console.log('done');
process.exit(0);
