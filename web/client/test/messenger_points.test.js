// A customer's conversation against the test server, with each misbehaviour at each point: nothing is lost or doubled.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MessengerClient, memoryStorage } from '../src/index.js';
import { TestServer } from '../testing/server.js';
import { begun, ending, everywhere } from './points.js';
import { hurried, until } from './support.js';

/** An agent without a client. @param {TestServer} server */
function accepts({ desk }) {
  const [offer] = [...desk.offers.values()];
  assert.ok(offer);
  desk.accept('ada', offer.id);
  return offer.conversation;
}

/** @param {TestServer} server */
async function talk(server) {
  const { desk } = server;
  desk.setStatus('ada', 'available');
  const customer = new MessengerClient({ url: server.url, workspace: 'demo', environment: hurried() });
  /** @type {Set<string>} */
  const wrong = new Set();
  customer.subscribe(({ messages, happened }) => {
    const numbers = messages.map(({ number }) => number);
    if (new Set(numbers).size !== numbers.length) wrong.add(`twice: ${numbers}`);
    const events = happened.map(({ event_id }) => event_id);
    if (new Set(events).size !== events.length) wrong.add(`events twice: ${events}`);
  });
  try {
    customer.connect();
    const started = customer.start({ text: 'q', name: 'Zoë', metadata: { page: '/p' } });
    const early = customer.send('a');
    const { answer } = await started;
    assert.equal(answer.number, 1);
    await until(customer, ({ stale }) => !stale);
    const held = accepts(server);
    await until(customer, ({ conversation }) => conversation?.state === 'active');
    assert.equal((await early).answer.number, 2);
    await Promise.all([customer.send('b'), customer.send('c')]);
    desk.post(held, { agent: 'ada' }, 'x');
    await until(customer, ({ messages, pending }) => messages.length === 5 && pending.length === 0, 'all messages');
    assert.deepEqual(customer.state.messages.map(({ number, text }) => `${number}${text}`), ['1q', '2a', '3b', '4c', '5x']);
    await customer.read(5);
    desk.read(held, 'agent', 5);
    assert.equal((await customer.list()).length, 1);
    desk.post(held, { agent: 'ada' }, 'bye');
    desk.close(held, 'agent');
    await until(customer, ({ conversation, messages }) => conversation?.state === 'closed' && messages.length === 6, 'the end');
    assert.deepEqual(held.messages.map(({ text }) => text), ['q', 'a', 'b', 'c', 'x', 'bye']);
    assert.deepEqual([desk.conversations.size, held.name, held.metadata.page, held.read_by_customer], [1, 'Zoë', '/p', 5]);
    await until(customer, ({ happened }) => happened.length === 2);
    assert.deepEqual(customer.state.happened.map(({ type }) => type), ['joined', 'ended']);
    assert.equal(customer.state.conversation?.read_by_agent, 6);
    assert.deepEqual([...wrong], []);
  } finally {
    customer.stop();
  }
}

test('each misbehaviour at each point of a conversation', async () => {
  const failed = await everywhere(
    [
      { what: 'drop' },
      { what: 'drop_after' },
      { what: 'cut' },
      { what: 'mute' },
      { what: 'hold' },
      { what: 'duplicate' },
      { what: 'refuse', retry_after_ms: 300 },
    ],
    talk,
  );
  assert.deepEqual(failed, []);
});

test('a reloaded page shows what it knew, says that it is stale, and goes on from there', async (t) => {
  const server = await begun(t);
  const environment = hurried({ storage: memoryStorage() });
  const first = ending(t, new MessengerClient({ url: server.url, workspace: 'demo', environment }));
  first.connect();
  await first.start({ text: 'q' });
  for (let count = 2; count <= 60; count++) await first.send(`m${count}`);
  await until(first, ({ last_event }) => last_event === 61);
  first.stop();
  await server.kill();
  const again = ending(t, new MessengerClient({ url: server.url, workspace: 'demo', environment }));
  again.connect();
  const shown = await until(again, ({ messages }) => messages.length > 0);
  assert.deepEqual([shown.stale, shown.begins, shown.messages.length, shown.messages[0]?.number], [true, false, 50, 11]);
  // Written while the server is away.
  const written = again.send('still here');
  await until(again, ({ pending, link }) => pending.length === 1 && link.phase === 'offline');
  again.stop();
  const third = ending(t, new MessengerClient({ url: server.url, workspace: 'demo', environment }));
  third.connect();
  await until(third, ({ pending }) => pending.length === 1);
  await server.startAgain();
  await until(third, ({ pending, messages, stale }) => pending.length === 0 && messages.at(-1)?.number === 61 && !stale);
  assert.equal([...server.desk.conversations.values()][0]?.messages.filter(({ text }) => text === 'still here').length, 1);
  await third.earlier();
  assert.deepEqual([third.state.messages.length, third.state.begins], [61, true]);
  third.stop();
  void written;
});

test('a start that was under way at a reload is one start', async (t) => {
  const server = await begun(t);
  const environment = hurried();
  server.at('out:POST conversations', 'hold');
  const first = ending(t, new MessengerClient({ url: server.url, workspace: 'demo', environment }));
  first.connect();
  void first.start({ text: 'q' });
  void first.send('a');
  await until(first, ({ pending }) => pending[0]?.state === 'sent' && server.desk.conversations.size === 1).catch(() => {});
  first.stop();
  const again = ending(t, new MessengerClient({ url: server.url, workspace: 'demo', environment }));
  again.connect();
  await until(again, ({ messages, stale }) => messages.length === 2 && !stale);
  assert.equal(server.desk.conversations.size, 1);
});

test('what has no end in sight is refused: no conversation, signed out, another\'s', async (t) => {
  const server = await begun(t);
  const customer = ending(t, new MessengerClient({ url: server.url, workspace: 'demo', environment: hurried() }));
  customer.connect();
  await assert.rejects(customer.send('x'), { code: 'no_conversation' });
  await customer.start({ text: 'q' });
  await until(customer, ({ stale }) => !stale);
  await customer.signOut();
  const state = await until(customer, ({ conversation, link }) => !conversation && link.phase === 'idle');
  assert.deepEqual([state.messages, state.pending], [[], []]);
  assert.deepEqual((await customer.env.storage.keys('')).filter((key) => key.includes('conversation')), []);
});

test('a known customer finds the open conversation again by the token alone, and a fresh token where one ended', async (t) => {
  const server = await begun(t);
  const tokens = ['zoe-1', 'zoe-2'];
  const token = () => tokens[0] ?? '';
  const first = ending(t, new MessengerClient({ url: server.url, workspace: 'demo', token, customer: 'zoe', environment: hurried() }));
  first.connect();
  await first.start({ text: 'q' });
  await until(first, ({ stale }) => !stale);
  first.stop();
  const elsewhere = ending(t, new MessengerClient({ url: server.url, workspace: 'demo', token, customer: 'zoe', environment: hurried() }));
  elsewhere.connect();
  await until(elsewhere, ({ messages, stale }) => messages.length === 1 && !stale);
  // The journal that the test server has knows customers by their tokens; a revoked one is refused.
  server.customers.signedOut.add('zoe-1');
  await assert.rejects(elsewhere.send('x'), { code: 'unauthorized' });
  tokens.shift();
  await assert.rejects(elsewhere.send('y'), { code: 'no_such_conversation' });
});

test('a server whose journal is younger is read from the beginning', async (t) => {
  const server = await begun(t);
  const customer = ending(t, new MessengerClient({ url: server.url, workspace: 'demo', environment: hurried() }));
  customer.connect();
  await customer.start({ text: 'q' });
  await customer.send('a');
  await until(customer, ({ last_event }) => last_event === 3);
  await server.kill();
  await until(customer, ({ link }) => link.phase === 'offline');
  const [held] = server.desk.conversations.values();
  held?.events.pop();
  held?.messages.pop();
  await server.startAgain();
  const state = await until(customer, ({ stale, messages }) => !stale && messages.length === 1);
  assert.deepEqual([state.last_event, state.messages[0]?.text], [2, 'q']);
});
