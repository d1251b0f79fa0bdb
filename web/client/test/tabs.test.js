// Several tabs of one browser, with locks and channels that the test plays: one connection, one state, and nothing is asked twice.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import WebSocket from 'ws';
import { AgentClient, MessengerClient } from '../src/index.js';
import { begun, ending } from './points.js';
import { browser, hurried, playedWorld, settled, until } from './support.js';

/** @param {import('node:test').TestContext} t @param {import('../testing/server.js').TestServer} server */
function tabsOf(t, server) {
  const shared = browser();
  const token = server.token('ada');
  return (more = {}) => {
    const environment = hurried({ ...shared, WebSocket, ...more });
    return ending(t, new AgentClient({ url: server.url, token, environment }));
  };
}

test('three tabs have one connection, and show the same', async (t) => {
  const server = await begun(t);
  const tab = tabsOf(t, server);
  const [a, b, c] = [tab(), tab(), tab()];
  for (const one of [a, b, c]) await one.connect();
  await until(a, ({ link }) => link.phase === 'live');
  await b.setStatus('available', ['chat']);
  server.desk.start('zoe', { text: 'q' });
  await until(c, ({ offers }) => Object.keys(offers).length === 1);
  const [offer] = Object.values(c.state.offers);
  assert.ok(offer);
  const { conversation } = await c.accept(offer.offer);
  await b.open(conversation);
  await b.send(conversation, 'from b');
  await until(a, ({ threads }) => threads[conversation]?.messages.length === 2);
  await until(c, ({ threads }) => threads[conversation]?.messages.length === 2);
  for (const one of [a, b, c]) await until(one, ({ pending }) => pending.length === 0);
  assert.equal(server.came.length, 1);
  const bare = (/** @type {AgentClient} */ { state }) => ({ ...state, link: state.link.phase, threads: state.threads[conversation]?.messages });
  assert.deepEqual([bare(b), bare(c)].map(({ conversations, ...rest }) => rest), [bare(a), bare(a)].map(({ conversations, ...rest }) => rest));
});

test('a tab that comes late has everything, with the time that is left on its own clock', async (t) => {
  const server = await begun(t);
  const tab = tabsOf(t, server);
  const a = tab();
  await a.connect();
  await a.setStatus('available');
  server.desk.start('zoe', { text: 'q' });
  await until(a, ({ offers }) => Object.keys(offers).length === 1);
  const late = tab();
  await late.connect();
  const { offers } = await until(late, ({ offers }) => Object.keys(offers).length === 1);
  const left = (Object.values(offers)[0]?.ends_at ?? 0) - late.now();
  const leftThere = (Object.values(a.state.offers)[0]?.ends_at ?? 0) - a.now();
  // A tenth of a second that passes between them is ten seconds here.
  assert.ok(left > 0 && left <= 30_000 && Math.abs(left - leftThere) < 10_000, `${left}, ${leftThere}`);
  assert.equal(server.came.length, 1);
});

test('the tab that leads is closed: another goes on, with what was written and not sent', async (t) => {
  const server = await begun(t);
  const tab = tabsOf(t, server);
  const [a, b] = [tab(), tab()];
  await a.connect();
  await a.setStatus('available');
  const held = server.desk.start('zoe', { text: 'q' });
  const { offers } = await until(a, ({ offers }) => Object.keys(offers).length === 1);
  await a.accept(Object.keys(offers)[0] ?? '');
  await b.connect();
  await until(b, ({ conversations }) => conversations[held.id]);
  server.at('in:send', 'hold');
  server.at('out:reply:send', 'drop');
  const fromA = a.send(held.id, 'from a');
  const fromB = b.send(held.id, 'from b');
  await until(b, ({ pending }) => pending.length === 2);
  a.stop();
  await fromB;
  await until(b, ({ pending }) => pending.length === 0);
  assert.deepEqual(held.messages.map(({ text }) => text).sort(), ['from a', 'from b', 'q']);
  assert.equal(b.state.status, 'available');
  void fromA;
});

test('a tab that is put away gives the connection to one that is not, and follows when it is back', async () => {
  const shared = browser();
  const worlds = [playedWorld(shared), playedWorld(shared)];
  const [first, second] = worlds.map(({ env }) => new AgentClient({ url: 'http://h', token: 't', environment: env }));
  assert.ok(first && second && worlds[0] && worlds[1]);
  await first.connect();
  await settled();
  await second.connect();
  for (let turn = 0; turn < 4; turn++) await settled();
  assert.deepEqual(worlds.map(({ sockets }) => sockets.length), [1, 0]);
  worlds[0].last().welcomes();
  worlds[0].happens('freeze');
  for (let turn = 0; turn < 6; turn++) await settled();
  assert.deepEqual([worlds[0].last().closed, worlds.map(({ sockets }) => sockets.length)], [1000, [1, 1]]);
  worlds[1].last().welcomes({ snapshot: { status: 'lunch' } });
  worlds[0].happens('resume');
  for (let turn = 0; turn < 6; turn++) await settled();
  assert.deepEqual([first.state.status, first.state.link.phase, worlds[0].sockets.length], ['lunch', 'live', 1]);
  // What happens to a follower is told to the one that leads.
  worlds[1].last().ends(1006);
  await settled();
  worlds[0].happens('online');
  for (let turn = 0; turn < 4; turn++) await settled();
  await worlds[1].time.advance(500);
  assert.equal(worlds[1].sockets.length, 2);
  first.stop();
  second.stop();
});

test('a frame that a tab missed brings it the whole state', async () => {
  const shared = browser();
  let lose = 0;
  class Lossy extends shared.BroadcastChannel {
    /** @override @param {any} message */
    postMessage(message) {
      if (message.kind === 'frame' && lose-- > 0) return;
      super.postMessage(message);
    }
  }
  const worlds = [playedWorld({ ...shared, BroadcastChannel: Lossy }), playedWorld(shared)];
  const [first, second] = worlds.map(({ env }) => new AgentClient({ url: 'http://h', token: 't', environment: env }));
  assert.ok(first && second && worlds[0]);
  for (const one of [first, second]) {
    await one.connect();
    for (let turn = 0; turn < 4; turn++) await settled();
  }
  worlds[0].last().welcomes();
  for (let turn = 0; turn < 4; turn++) await settled();
  lose = 1;
  worlds[0].last().says({ type: 'draining', position: 11, draining: true });
  worlds[0].last().says({ type: 'status', position: 12, status: 'lunch', available: true, channels: [], connection: 'online' });
  for (let turn = 0; turn < 6; turn++) await settled();
  assert.deepEqual([second.state.draining, second.state.status, second.state.position], [true, 'lunch', 12]);
  first.stop();
  second.stop();
});

test('two tabs whose clocks differ show the same time left, of what came before and of what comes', async () => {
  const shared = browser();
  const worlds = [playedWorld(shared), playedWorld(shared)];
  const [first, second] = worlds.map(({ env }) => new AgentClient({ url: 'http://h', token: 't', environment: env }));
  assert.ok(first && second && worlds[0] && worlds[1]);
  // The one is open for an hour longer.
  worlds[0].time.monotonic += 3_600_000;
  const offer = (/** @type {string} */ id) => ({ offer: id, conversation: { conversation: 'c1', last_number: 1 }, left_ms: 9_000, delivered: true });
  await first.connect();
  await settled();
  worlds[0].last().welcomes({ snapshot: { offers: [offer('o1')] } });
  await second.connect();
  for (let turn = 0; turn < 4; turn++) await settled();
  worlds[0].last().says({ type: 'offer', position: 11, offer: offer('o2') });
  for (let turn = 0; turn < 4; turn++) await settled();
  const left = (/** @type {AgentClient} */ one) => ['o1', 'o2'].map((id) => (one.state.offers[id]?.ends_at ?? 0) - one.now());
  assert.deepEqual([left(first), left(second)], [[9_000, 9_000], [9_000, 9_000]]);
  worlds[0].last().ends(1006);
  for (let turn = 0; turn < 4; turn++) await settled();
  assert.deepEqual([first, second].map((one) => (one.state.link.retry_at ?? 0) - one.now()), [500, 500]);
  first.stop();
  second.stop();
});

test('what a tab asked of a leader that is gone it asks of the next, which does it once', async () => {
  const shared = browser();
  // The next leader is asked before it has read what is kept.
  const keys = async (/** @type {string} */ prefix) => {
    for (let turn = 0; turn < 6; turn++) await settled();
    return shared.storage.keys(prefix);
  };
  const worlds = [playedWorld(shared), playedWorld({ ...shared, storage: { ...shared.storage, keys } }), playedWorld(shared)];
  // Each has ids of its own.
  for (const [at, { env }] of worlds.entries()) {
    const { id } = env;
    env.id = () => `${at}${id().slice(1)}`;
  }
  const tabs = worlds.map(({ env }) => new AgentClient({ url: 'http://h', token: 't', environment: env }));
  const [first, second, third] = tabs;
  assert.ok(first && second && third && worlds[0] && worlds[1]);
  for (const one of tabs) {
    await one.connect();
    for (let turn = 0; turn < 4; turn++) await settled();
  }
  worlds[0].last().welcomes();
  const accepted = third.accept('o1');
  for (let turn = 0; turn < 4; turn++) await settled();
  const [asked] = worlds[0].last().sent;
  assert.equal(asked.type, 'accept');
  first.stop();
  for (let turn = 0; turn < 16; turn++) await settled();
  worlds[1].last().welcomes();
  for (let turn = 0; turn < 4; turn++) await settled();
  assert.deepEqual(worlds[1].last().sent, [asked]);
  // Asked once more, it is not sent once more.
  third.repeat();
  for (let turn = 0; turn < 4; turn++) await settled();
  assert.equal(worlds[1].last().sent.length, 1);
  worlds[1].last().says({ type: 'reply', id: asked.id, position: 11, ok: true, conversation: 'c1' });
  assert.equal((await accepted).conversation, 'c1');
  second.stop();
  third.stop();
});

test('without locks, or with locks that may not be had, each tab has its own', async (t) => {
  const server = await begun(t);
  const tab = tabsOf(t, server);
  const denied = { request: () => Promise.reject(new Error('denied')) };
  const tabs = [tab({ locks: undefined }), tab({ BroadcastChannel: undefined }), tab({ locks: denied })];
  for (const one of tabs) await one.connect();
  for (const one of tabs) await until(one, ({ link }) => link.phase === 'live');
  assert.equal(server.came.length, 3);
});

test('another person in the same browser is another', async (t) => {
  const server = await begun(t);
  const environment = hurried({ ...browser(), WebSocket });
  const [ada, eve] = ['ada', 'eve'].map((name) => ending(t, new AgentClient({ url: server.url, token: server.token(name), environment })));
  assert.ok(ada && eve);
  for (const one of [ada, eve]) await one.connect();
  await until(ada, ({ agent }) => agent?.name === 'ada');
  await until(eve, ({ agent }) => agent?.name === 'eve');
});

test('two tabs of a customer have one stream, and either may write', async (t) => {
  const server = await begun(t);
  const shared = browser();
  const [a, b] = [0, 1].map(() => ending(t, new MessengerClient({ url: server.url, workspace: 'demo', environment: hurried(shared) })));
  assert.ok(a && b);
  a.connect();
  b.connect();
  await b.start({ text: 'q' });
  await a.send('from a');
  await b.send('from b');
  for (const one of [a, b]) await until(one, ({ messages, stale }) => messages.length === 3 && !stale);
  assert.deepEqual(server.passed.filter((point) => point === 'in:GET events').length, 1);
  // The token is nobody's but the leader's and the storage's.
  assert.equal(JSON.stringify(b.state).includes('ohv1.'), false);
  a.stop();
  await b.send('still here');
  await until(b, ({ messages, stale }) => messages.length === 4 && !stale);
});
