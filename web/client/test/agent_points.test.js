// An agent's day against the test server, with each misbehaviour at each point: nothing is lost, doubled or chosen for the person.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import WebSocket from 'ws';
import { AgentClient } from '../src/index.js';
import { TestServer } from '../testing/server.js';
import { begun, ending, everywhere } from './points.js';
import { hurried, until } from './support.js';

/** @param {TestServer} server */
async function day(server) {
  const { desk } = server;
  const statuses = /** @type {string[]} */ ([]);
  const setStatus = desk.setStatus.bind(desk);
  desk.setStatus = (name, status, channels) => (statuses.push(status), setStatus(name, status, channels));
  const agent = new AgentClient({ url: server.url, token: server.token('ada'), environment: hurried({ WebSocket }) });
  /** Each number that was shown, at each moment. @type {Set<string>} */
  const wrong = new Set();
  agent.subscribe(({ threads, status }) => {
    for (const { messages } of Object.values(threads)) {
      const numbers = messages.map(({ number }) => number);
      if (new Set(numbers).size !== numbers.length) wrong.add(`twice: ${numbers}`);
    }
    if (statuses.length > 0 && status === 'lunch') wrong.add('a status that nobody chose');
  });
  try {
    void agent.connect();
    await agent.setStatus('available', ['chat']);
    const held = desk.start('zoe', { text: 'q', name: 'Zoë' });
    const { offers } = await until(agent, ({ offers }) => Object.keys(offers).length > 0);
    const [offer] = Object.keys(offers);
    assert.ok(offer);
    await agent.delivered(offer);
    assert.equal((await agent.accept(offer)).conversation, held.id);
    await until(agent, ({ conversations }) => conversations[held.id]);
    await agent.open(held.id);
    const sent = [agent.send(held.id, 'a'), agent.send(held.id, 'b'), agent.note(held.id, 'n')];
    await Promise.all(sent);
    desk.post(held, { customer: 'zoe' }, 'x');
    await agent.send(held.id, 'c');
    await agent.read(held.id, 4);
    await until(agent, ({ threads, pending }) => threads[held.id]?.messages.length === 5 && pending.length === 0, 'all messages');
    const thread = agent.state.threads[held.id];
    assert.deepEqual(thread?.messages.map(({ number, text }) => `${number}${text}`), ['1q', '2a', '3b', '4x', '5c']);
    assert.deepEqual(thread?.notes.map(({ text }) => text), ['n']);
    await agent.close(held.id);
    await until(agent, ({ conversations }) => !conversations[held.id], 'the end');
    assert.deepEqual(held.messages.map(({ text }) => text), ['q', 'a', 'b', 'x', 'c']);
    assert.deepEqual([held.state, held.notes.length, held.read_by_agent], ['closed', 1, 5]);
    assert.deepEqual([statuses, desk.agent('ada').status, desk.agent('ada').channels], [['available'], 'available', ['chat']]);
    await until(agent, ({ status, stale }) => status === 'available' && !stale, 'its status');
    assert.deepEqual([...wrong], []);
  } finally {
    agent.stop();
  }
}

test('each misbehaviour at each point of an agent\'s day', async () => {
  const failed = await everywhere(
    [
      { what: 'drop' },
      { what: 'drop_after' },
      { what: 'mute' },
      { what: 'hold' },
      { what: 'duplicate' },
      { what: 'snapshot' },
      { what: 'refuse', retry_after_ms: 300 },
      { what: 'close', code: 4202, reason: 'resync' },
      { what: 'close', code: 4200, reason: 'retry_after_ms=400' },
      { what: 'close', code: 4100, reason: 'retry_after_ms=900' },
      { what: 'close', code: 1011, reason: '' },
    ],
    day,
  );
  assert.deepEqual(failed, []);
});

test('a refused upgrade names the time, and it is kept', async (t) => {
  const server = await begun(t);
  server.at('in:upgrade', { what: 'refuse', retry_after_ms: 2_500 });
  const agent = ending(t, new AgentClient({ url: server.url, token: server.token('ada'), environment: hurried({ WebSocket, random: () => 0 }) }));
  /** @type {number[]} */
  const waits = [];
  agent.subscribe(({ link }, { heard_at }) => link.phase === 'waiting' && waits.push(Math.round((link.retry_at ?? 0) - heard_at)));
  await agent.connect();
  await until(agent, ({ link }) => link.phase === 'live');
  assert.deepEqual([waits.length, Math.abs((waits[0] ?? 0) - 2_500) < 100], [1, true], String(waits));
});

test('a token that ends is told, and a fresh one goes on', async (t) => {
  const server = await begun(t);
  const [first, second] = [server.token('ada', { n: 1 }), server.token('ada', { n: 2 })];
  server.badTokens.set(first, 'token_expired');
  const agent = ending(t, new AgentClient({ url: server.url, token: first, environment: hurried({ WebSocket }) }));
  await agent.connect();
  const { link } = await until(agent, ({ link }) => link.phase === 'stopped');
  assert.deepEqual([link.why, link.code], ['token_expired', 4001]);
  agent.useToken(second);
  await until(agent, ({ link }) => link.phase === 'live');
});

test('a server that is killed and comes back, with hundreds of conversations, is found as it was', async (t) => {
  const server = await begun(t);
  server.page = 7;
  const agent = ending(t, new AgentClient({ url: server.url, token: server.token('ada'), environment: hurried({ WebSocket }) }));
  await agent.connect();
  await agent.setStatus('available');
  for (let count = 0; count < 60; count++) server.desk.start(`c${count}`, { text: 'hello' });
  const { offers } = await until(agent, ({ offers }) => Object.keys(offers).length === 60);
  await Promise.all(Object.keys(offers).slice(0, 40).map((offer) => agent.accept(offer)));
  await server.kill();
  await until(agent, ({ link }) => link.phase === 'waiting');
  await server.startAgain();
  const state = await until(agent, ({ link, complete }) => link.phase === 'live' && complete);
  assert.deepEqual([Object.keys(state.offers).length, Object.keys(state.conversations).length, state.status], [20, 40, 'available']);
  assert.equal(Object.values(state.conversations).some(({ untold }) => untold), false);
});
