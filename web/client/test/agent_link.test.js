// The agent's connection in time that the test moves: reconnecting, advice, silence, sleep, hidden tabs, tokens.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AgentClient } from '../src/index.js';
import { playedWorld, settled } from './support.js';

/** @param {any} [more] @param {any} [token] */
async function signedIn(more = {}, token = 't') {
  const world = playedWorld(more);
  const client = new AgentClient({ url: 'https://desk.example/', token, environment: world.env });
  await client.connect();
  await settled();
  return { ...world, client, world };
}

/** @param {any} [more] @param {any} [token] */
async function live(more, token) {
  const all = await signedIn(more, token);
  all.last().welcomes({ snapshot: { status: 'available', available: true } });
  await settled();
  return all;
}

test('it comes with its token, and again with the ticket, never in the address', async () => {
  const { sockets, last, time } = await live();
  assert.deepEqual([last().url, last().protocols], ['wss://desk.example/v1/agent', ['offhook.agent.v1', 'offhook.token.t']]);
  last().ends(1006);
  await time.advance(500);
  assert.equal(sockets.length, 2);
  assert.deepEqual(last().protocols, ['offhook.agent.v1', 'offhook.token.t', 'offhook.ticket.ohr1.t']);
});

test('a reloaded page has its ticket still', async () => {
  const { env, last } = await live();
  assert.ok(last());
  const again = new AgentClient({ url: 'https://desk.example', token: 't', environment: env });
  await again.connect();
  await settled();
  assert.ok(last().protocols.includes('offhook.ticket.ohr1.t'));
});

test('what fails again and again is tried ever more rarely, and anew after a good while', async () => {
  const { time, sockets, last, client } = await live();
  const waits = [];
  for (let round = 0; round < 7; round++) {
    last().ends(1006);
    waits.push((client.state.link.retry_at ?? 0) - client.now());
    await time.advance(waits.at(-1) ?? 0);
  }
  assert.deepEqual(waits, [500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000]);
  last().welcomes();
  await time.advance(9_999);
  last().ends(1006);
  assert.equal((client.state.link.retry_at ?? 0) - client.now(), 15_000);
  await time.advance(15_000);
  last().welcomes();
  await time.advance(10_000);
  last().ends(1006);
  assert.equal((client.state.link.retry_at ?? 0) - client.now(), 500);
  assert.equal(sockets.length, 9);
});

test('the time that the server names is kept, whatever happens meanwhile', async () => {
  for (const [code, ms] of /** @type {[number, number][]} */ ([[4100, 4_500], [4101, 4_500], [4102, 4_500], [4200, 4_000]])) {
    const { time, sockets, last, happens } = await live();
    last().ends(code, 'retry_after_ms=4000');
    happens('online');
    happens('visibilitychange');
    await time.advance(ms - 1);
    assert.equal(sockets.length, 1, `${code} too early`);
    await time.advance(1);
    assert.equal(sockets.length, 2, `${code} too late`);
  }
});

test('a network that is back makes it sooner, but not all at once', async () => {
  const { time, sockets, last, happens, world, client } = await live();
  world.random = 1;
  for (let round = 0; round < 5; round++) {
    last().ends(1006);
    await time.advance((client.state.link.retry_at ?? 0) - client.now());
  }
  last().ends(1006);
  world.random = 0.3;
  happens('online');
  await time.advance(299);
  assert.equal(sockets.length, 6);
  await time.advance(1);
  assert.equal(sockets.length, 7);
});

test('what does not come back is stopped, and says why', async () => {
  for (const [code, reason, why] of /** @type {[number, string, string][]} */ ([
    [4000, 'signed_out', 'signed_out'], [4003, 'forbidden', 'forbidden'], [4004, 'too_many_devices', 'too_many_devices'],
    [4008, 'bad_frames', 'bad_frames'], [1002, '', 'protocol'], [4001, 'token_expired', 'token_expired'],
  ])) {
    const { time, sockets, last, client } = await live();
    last().ends(code, reason);
    await time.advance(3_600_000);
    assert.deepEqual([sockets.length, client.state.link], [1, { phase: 'stopped', why, code }]);
    assert.equal(client.state.status, 'available');
  }
});

test('a token that is refused is not shown again, and another brings it back', async () => {
  const { time, sockets, last, client } = await live();
  last().ends(4001, 'token_expired');
  client.useToken('t');
  await time.advance(60_000);
  assert.deepEqual([sockets.length, client.state.link.why], [1, 'unauthorized']);
  client.useToken('t2');
  await settled();
  assert.ok(last().protocols.includes('offhook.token.t2'));
});

test('where tokens come from a function, it is asked again, and not for ever for the same', async () => {
  const tokens = ['a', 'a', 'b', 'b', 'b'];
  let asked = 0;
  const { time, sockets, last, client } = await live({}, () => tokens[asked++]);
  assert.equal(asked, 1);
  last().ends(1006);
  await time.advance(1_000);
  assert.ok(last().protocols.includes('offhook.token.a'));
  last().ends(4001, 'token_expired');
  await time.advance(2_000);
  assert.ok(last().protocols.includes('offhook.token.b'));
  last().ends(4001, 'token_expired');
  await time.advance(3_600_000);
  assert.deepEqual([sockets.length, client.state.link.phase], [3, 'stopped']);
});

test('a token that cannot be fetched now is fetched later', async () => {
  let fails = 3;
  const { time, sockets, client } = await signedIn({}, async () => {
    if (fails-- > 0) throw new TypeError('fetch failed');
    return 't';
  });
  assert.deepEqual([sockets.length, client.state.link.phase], [0, 'waiting']);
  await time.advance(5_000);
  assert.deepEqual([sockets.length, client.state.link.phase], [1, 'connecting']);
});

test('a fresh token goes to the server before the old one ends', async () => {
  const token = (/** @type {number} */ exp) => `x.${btoa(JSON.stringify({ sub: 'ada', exp }))}.x`;
  const from = 1_700_000_000;
  const tokens = [token(from + 600), token(from + 1_200)];
  const { time, last } = await live({}, () => tokens.shift() ?? 'none');
  // What is heard keeps the connection from being asked whether it is there.
  const hear = async (/** @type {number} */ ms) => {
    for (; ms > 0; ms -= 20_000) {
      await time.advance(Math.min(ms, 20_000));
      last().says({ type: 'typing', conversation: 'c1' });
    }
  };
  await hear(539_999);
  assert.deepEqual(last().sent, []);
  await hear(1);
  assert.deepEqual(last().sent.map(({ type, token }) => [type, token]), [['refresh', token(from + 1_200)]]);
});

test('no welcome: it is given up and tried again', async () => {
  const { time, sockets, client } = await signedIn();
  await time.advance(19_999);
  assert.equal(sockets.length, 1);
  await time.advance(1);
  assert.equal(client.state.link.phase, 'waiting');
  assert.equal(sockets[0]?.closed, 1000);
  await time.advance(500);
  assert.equal(sockets.length, 2);
});

test('a connection that says nothing is asked, and given up when it does not answer', async () => {
  const { time, sockets, last, client } = await live();
  await time.advance(30_000);
  assert.deepEqual(last().sent.map(({ type }) => type), ['refresh']);
  last().says({ type: 'reply', id: last().sent[0].id, ok: true, expires_at: 1 });
  await time.advance(29_999);
  assert.equal(last().sent.length, 1);
  await time.advance(1);
  assert.equal(last().sent.length, 2);
  await time.advance(15_000);
  assert.equal(client.state.link.phase, 'waiting');
  await time.advance(500);
  assert.equal(sockets.length, 2);
});

test('a sleeping machine comes back to a fresh welcome, with the time that is left by now', async () => {
  const offer = { offer: 'o1', conversation: { conversation: 'c1', last_number: 1 }, left_ms: 60_000, delivered: true };
  const { time, sockets, last, client } = await signedIn();
  last().welcomes({ snapshot: { offers: [offer] } });
  const ends = client.state.offers.o1?.ends_at ?? 0;
  assert.equal(ends - client.now(), 60_000);
  time.sleep(45_000);
  // Whatever comes first: a timer that was due before.
  await time.advance(15_000);
  assert.equal(ends - client.now(), 0);
  await time.advance(15_500);
  assert.equal(sockets.length, 2);
  last().welcomes({ snapshot: { offers: [{ ...offer, left_ms: 7_000 }] } });
  assert.equal((client.state.offers.o1?.ends_at ?? 0) - client.now(), 7_000);
});

test('in a hidden tab, whose timers fire once a minute, what comes is acted on at once, and what is due at the next minute', async () => {
  const { time, sockets, last, client, world } = await live();
  world.hidden = true;
  time.throttled = true;
  const sent = client.setStatus('lunch');
  assert.equal(last().sent.at(-1).type, 'set_status');
  last().says({ type: 'reply', id: last().sent.at(-1).id, ok: true, position: 11 });
  await sent;
  last().ends(1006);
  await time.advance(60_000);
  assert.equal(sockets.length, 2);
  last().welcomes();
  await settled();
  assert.equal(client.state.link.phase, 'live');
});

test('nothing that is no choice of the person is sent as one', async () => {
  const { time, sockets, last, client, happens, world } = await live();
  const all = async (/** @type {() => void} */ cause) => {
    cause();
    await time.advance(40_000);
    last().welcomes({ snapshot: { status: 'available', available: true } });
    await time.advance(1_000);
  };
  world.hidden = true;
  await all(() => happens('visibilitychange'));
  await all(() => happens('freeze'));
  await all(() => happens('pagehide', { persisted: true }));
  world.hidden = false;
  await all(() => happens('pageshow'));
  await all(() => happens('resume'));
  await all(() => happens('online'));
  await all(() => time.sleep(600_000));
  for (const code of [1006, 4200, 4201, 4202]) await all(() => last().ends(code));
  const types = new Set(sockets.flatMap(({ sent }) => sent.map(({ type }) => type)));
  assert.deepEqual([...types].filter((type) => type !== 'refresh'), []);
  assert.deepEqual([client.state.status, client.state.available], ['available', true]);
  client.stop();
  await time.advance(60_000);
  assert.equal(last().closed, 1000);
});

test('a stopped client leaves nothing behind that would run', async () => {
  const { time, client, last } = await live();
  void client.send('c1', 'x');
  client.stop();
  assert.deepEqual([time.timers.length, last().closed, client.state.link.phase], [0, 1000, 'stopped']);
});

test('a listener may end it, at whatever it hears', async () => {
  for (const at of ['welcome', 'live', 'waiting', 'connecting']) {
    const { last, client, time, sockets } = await signedIn();
    let ended = 0;
    const off = client.subscribe(({ link }, { type }) => {
      if (type !== at && (type !== 'local.link' || link.phase !== at)) return;
      client.stop();
      ended = sockets.length;
    });
    last().welcomes();
    last().ends(1006);
    await time.advance(60_000);
    assert.deepEqual([client.state.link.phase, time.timers.length, sockets.length], ['stopped', 0, ended], at);
    off();
  }
});

test('a listener that fails keeps nothing from going on', async () => {
  const { last, client, time } = await signedIn();
  client.subscribe(() => {
    throw new Error('of the page');
  });
  last().welcomes();
  assert.equal(client.state.link.phase, 'live');
  await assert.rejects(time.advance(0), /of the page/);
});
