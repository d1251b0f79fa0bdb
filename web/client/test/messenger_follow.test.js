// The customer's stream and calls in time that the test moves, over a network that the test plays.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MessengerClient } from '../src/index.js';
import { playedWorld, settled } from './support.js';

/** @typedef {{ url: string, method: string, headers: Record<string, string>, answer: (status: number, body?: any, headers?: Record<string, string>) => Promise<void>, breaks: () => Promise<void>, stream: () => Promise<{ says: (text: string) => Promise<void>, ends: () => Promise<void> }>, aborted: () => boolean }} Asked */

/** Every request waits for what the test answers. */
function playedNetwork() {
  /** @type {Asked[]} */
  const asked = [];
  const fetch = (/** @type {string} */ url, /** @type {any} */ init) =>
    new Promise((done, fail) => {
      init.signal.addEventListener('abort', () => fail(new Error('aborted')));
      const then = async (/** @type {Response} */ response) => {
        done(response);
        for (let turn = 0; turn < 3; turn++) await settled();
      };
      asked.push({
        url,
        method: init.method ?? 'GET',
        headers: init.headers,
        answer: (status, body, headers) => then(new Response(status === 204 ? null : JSON.stringify(body), { status, headers })),
        breaks: async () => {
          fail(new TypeError('fetch failed'));
          await settled();
        },
        stream: async () => {
          /** @type {ReadableStreamDefaultController} */
          let controller = /** @type {any} */ (undefined);
          const body = new ReadableStream({ start: (given) => void (controller = given) });
          await then(new Response(body, { status: 200 }));
          const after = async (/** @type {() => void} */ deed) => {
            deed();
            for (let turn = 0; turn < 3; turn++) await settled();
          };
          return {
            says: (text) => after(() => controller.enqueue(new TextEncoder().encode(text))),
            ends: () => after(() => controller.close()),
          };
        },
        aborted: () => init.signal.aborted,
      });
    });
  return { fetch, asked };
}

const started = { conversation: { conversation: 'c1', state: 'waiting', last_number: 1, read_by_agent: 0, read_by_customer: 1 }, number: 1, token: 'ohv1.x', events: '/e' };

/** A customer who has begun, and whose stream is asked for. @param {any} [options] */
async function begun(options = {}) {
  const { fetch, asked } = playedNetwork();
  const world = playedWorld({ fetch });
  const customer = new MessengerClient({ url: 'https://desk.example', workspace: 'demo', environment: world.env, ...options });
  customer.connect();
  await settled();
  void customer.start({ text: 'q' });
  await settled();
  // Of a known customer it is looked up first what there is.
  await asked.find(({ url }) => url.endsWith('/demo/'))?.answer(200, { conversations: [] });
  await asked.find(({ method }) => method === 'POST')?.answer(201, started);
  const last = () => /** @type {Asked} */ (asked.at(-1));
  return { ...world, world, asked, customer, last, wait: () => (customer.state.link.retry_at ?? 0) - customer.now() };
}

test('a start has its key, and the stream the token and no secret in its address', async () => {
  const { asked } = await begun();
  assert.deepEqual(asked.map(({ method, url }) => `${method} ${url}`), [
    'POST https://desk.example/v1/messenger/demo/conversations',
    'GET https://desk.example/v1/messenger/demo/conversations/c1/events',
  ]);
  assert.match(asked[0]?.headers['Idempotency-Key'] ?? '', /^[0-9a-f]{32}$/);
  assert.equal(asked[1]?.headers.Authorization, 'Bearer ohv1.x');
});

test('a stream that ends says when to come back, and goes on behind the last event', async () => {
  const { asked, last, customer, time, wait } = await begun();
  const stream = await last().stream();
  await stream.says('retry: 1000\n\nid: 7\nevent: opened\ndata: {"at":1}\n\nid: 8\nevent: opened\ndata: {"at"');
  assert.deepEqual([customer.state.link.phase, customer.state.last_event], ['live', 7]);
  await stream.says(':1}\n\nretry: 2300\n\n');
  await stream.ends();
  assert.equal(wait(), 2_300);
  await time.advance(2_299);
  assert.equal(asked.length, 2);
  await time.advance(1);
  assert.equal(last().headers['Last-Event-ID'], '8');
});

test('what is refused for now comes back when it was said, and a broken one with jitter', async () => {
  const { last, time, wait, customer, happens, asked } = await begun();
  await last().answer(503, { code: 'busy', message: '', retry_after_ms: 5_000 });
  assert.equal(wait(), 5_500);
  happens('online');
  assert.equal(wait(), 5_500, 'a place in a line');
  await time.advance(5_500);
  await last().answer(429, undefined, { 'retry-after': '2' });
  assert.equal(wait(), 2_250);
  await time.advance(2_250);
  await last().answer(502, 'a proxy');
  assert.equal(wait(), 2_000);
  await time.advance(2_000);
  await last().breaks();
  assert.equal(wait(), 4_000);
  const count = asked.length;
  happens('online');
  await time.advance(500);
  assert.equal(asked.length, count + 1);
  assert.equal(customer.state.link.phase, 'connecting');
});

test('a stream without a sign of life is given up, and one with is not', async () => {
  const { last, time, customer, asked } = await begun();
  const stream = await last().stream();
  for (let beat = 0; beat < 10; beat++) {
    await time.advance(30_000);
    await stream.says(':\n\n');
  }
  assert.deepEqual([customer.state.link.phase, asked.length], ['live', 2]);
  await time.advance(44_999);
  assert.equal(customer.state.link.phase, 'live');
  await time.advance(1);
  assert.deepEqual([customer.state.link.phase, last().aborted()], ['offline', true]);
});

test('a machine that slept opens its stream anew', async () => {
  const { last, time, customer, happens } = await begun();
  await last().stream();
  time.sleep(600_000);
  happens('visibilitychange');
  assert.equal(customer.state.link.phase, 'offline');
  await time.advance(500);
  assert.equal(customer.state.link.phase, 'connecting');
});

test('what is gone, forbidden or signed out is stopped', async () => {
  for (const [status, code, why] of /** @type {[number, string, string][]} */ ([
    [404, 'no_such_conversation', 'no_such_conversation'], [403, 'forbidden', 'forbidden'],
  ])) {
    const { last, time, customer, asked } = await begun();
    await last().answer(status, { code, message: '' });
    await time.advance(3_600_000);
    assert.deepEqual([customer.state.link, asked.length], [{ phase: 'stopped', why }, 2]);
  }
  const { last, time, customer, asked } = await begun();
  await last().answer(401, { code: 'unauthorized', message: '', reason: 'token_revoked' });
  await time.advance(3_600_000);
  assert.deepEqual([customer.state.link, asked.length], [{ phase: 'stopped', why: 'unauthorized' }, 2]);
});

test('a call without an answer is made again with the same key, and one after the other', async () => {
  const { asked, last, time, customer } = await begun();
  await last().stream();
  void customer.send('a');
  void customer.send('b');
  await settled();
  const first = last();
  await time.advance(30_000);
  assert.equal(first.aborted(), true);
  await time.advance(500);
  const posts = () => asked.filter(({ url }) => url.endsWith('/messages'));
  assert.equal(posts().length, 2);
  assert.equal(posts()[1]?.headers['Idempotency-Key'], first.headers['Idempotency-Key']);
  await posts()[1]?.answer(503, { code: 'unavailable', message: '', retry_after_ms: 800 });
  await time.advance(899);
  assert.equal(posts().length, 2);
  await time.advance(1);
  await posts()[2]?.answer(201, { number: 2, at: 1 });
  assert.notEqual(posts()[3]?.headers['Idempotency-Key'], first.headers['Idempotency-Key']);
  assert.deepEqual(customer.state.pending.map(({ command, state }) => [command.text, state]), [['b', 'sent']]);
});

test('messages that are missing are read by number', async () => {
  const { asked, last, customer } = await begun();
  const stream = await last().stream();
  await stream.says('id: 5\nevent: message\ndata: {"number":4,"author":"agent","text":"x","at":1}\n\n');
  assert.match(last().url, /messages\?after=1&limit=200$/);
  await last().answer(200, { messages: [2, 3].map((number) => ({ number, author: 'agent', text: 'y', at: 1 })), more: false });
  assert.deepEqual(customer.state.messages.map(({ number }) => number), [1, 2, 3, 4]);
  assert.equal(asked.length, 3);
});

test('a token of a function is fetched once, and again before it ends and when it was refused', async () => {
  let count = 0;
  const token = () => `x.${btoa(JSON.stringify({ sub: 'zoe', exp: 1_700_000_000 + 60 * ++count }))}.x`;
  const { last, time, customer } = await begun({ token, customer: 'zoe' });
  // The look for open conversations, the start and the stream.
  assert.equal(count, 1);
  await last().stream();
  void customer.send('a');
  await settled();
  await last().answer(401, { code: 'unauthorized', message: '', reason: 'token_expired' });
  await time.advance(1_000);
  assert.equal(count, 2);
  await last().answer(201, { number: 2, at: 1 });
  await time.advance(95_000);
  void customer.send('b');
  await settled();
  assert.equal(count, 3);
});

/** A known customer who writes before anything was looked up. @param {any} [more] @param {boolean} [writes] */
async function early(more = {}, writes = true) {
  const { fetch, asked } = playedNetwork();
  const { env, time } = playedWorld({ fetch });
  const world = { env: { ...env, ...more }, time };
  const customer = new MessengerClient({ url: 'https://desk.example', workspace: 'demo', environment: world.env, token: 'x.eyJzdWIiOiJ6b2UifQ.x' });
  customer.connect();
  const done = writes ? customer.start({ text: 'q' }) : Promise.resolve();
  for (let turn = 0; turn < 3; turn++) await settled();
  return { ...world, customer, asked, done, posts: () => asked.filter(({ method }) => method === 'POST'), last: () => /** @type {Asked} */ (asked.at(-1)) };
}

test('what a known customer writes before the first look goes into the conversation that goes on', async () => {
  const { customer, posts, last, done } = await early();
  assert.deepEqual([posts().length, customer.state.pending.map(({ command }) => command.text)], [0, ['q']]);
  await last().answer(200, { conversations: [started.conversation] });
  assert.deepEqual(posts().map(({ url }) => url), ['https://desk.example/v1/messenger/demo/conversations/c1/messages']);
  await posts()[0]?.answer(201, { number: 2, at: 1 });
  assert.equal((await done).answer.number, 2);
  assert.deepEqual([customer.state.pending, customer.state.starting, customer.state.messages.map(({ text }) => text)], [[], false, ['q']]);
});

test('where nothing goes on, or nobody can say, it begins one', async () => {
  for (const answer of [(/** @type {Asked} */ look) => look.answer(200, { conversations: [{ ...started.conversation, state: 'closed' }] }), (/** @type {Asked} */ look) => look.answer(403, { code: 'forbidden', message: '' })]) {
    const { customer, posts, last } = await early();
    await answer(last());
    assert.deepEqual(posts().map(({ url }) => url), ['https://desk.example/v1/messenger/demo/conversations']);
    await posts()[0]?.answer(201, started);
    assert.equal(customer.state.conversation?.conversation, 'c1');
    customer.stop();
  }
});

test('what was held back outlives a reload, is looked up again, and may be dropped', async () => {
  for (const drops of [false, true]) {
    const { env, customer, posts } = await early();
    customer.stop();
    assert.equal(posts().length, 0);
    const again = await early({ storage: env.storage }, false);
    assert.deepEqual([again.posts().length, again.customer.state.pending.map(({ command }) => command.text)], [0, ['q']]);
    if (drops) again.customer.discard(again.customer.state.pending[0]?.id ?? '');
    await again.last().answer(200, { conversations: [started.conversation] });
    assert.deepEqual(again.posts().map(({ url }) => url.split('/').at(-1)), drops ? [] : ['messages']);
    again.customer.stop();
  }
});

test('identify moves the conversation to the known customer', async () => {
  const { asked, last, customer, env } = await begun();
  const done = customer.identify('x.eyJzdWIiOiJ6b2UifQ.x');
  await settled();
  assert.match(last().url, /identify$/);
  assert.equal(last().headers.Authorization, 'Bearer x.eyJzdWIiOiJ6b2UifQ.x');
  await last().answer(200, { conversations: 1 });
  await done;
  for (let turn = 0; turn < 4; turn++) await settled();
  assert.match(last().url, /demo\/$/);
  await last().answer(200, { conversations: [started.conversation] });
  assert.match(last().url, /c1\/events$/);
  assert.equal(last().headers.Authorization, 'Bearer x.eyJzdWIiOiJ6b2UifQ.x');
  assert.deepEqual((await env.storage.keys('')).filter((key) => key.includes('visitor')), []);
  assert.ok(asked.length >= 5);
});
