// What a person asks, over a connection that comes and goes: each thing once, in order, with the id that it got first.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AgentClient, Refused } from '../src/index.js';
import { playedWorld, settled } from './support.js';

const conversation = (/** @type {string} */ id, last_number = 1) => ({ conversation: id, state: 'active', last_number, owner: 'ada' });

async function live(more = {}) {
  const world = playedWorld(more);
  const client = new AgentClient({ url: 'http://h', token: 't', environment: world.env });
  await client.connect();
  await settled();
  world.last().welcomes({ snapshot: { conversations: [conversation('c1'), conversation('c2')] } });
  return { ...world, client, world };
}

/** @param {any} socket @param {any} command @param {any} [more] */
const answers = (socket, command, more = { ok: true }) => socket.says({ type: 'reply', id: command.id, position: 11, ...more });
const words = (/** @type {any} */ { sent }) => sent.map((/** @type {any} */ { type, text, status, conversation }) => [type, text ?? status ?? conversation].join(' '));

test('messages of a conversation go one after the other, those of others beside them, and the close behind them', async () => {
  const { last, client } = await live();
  for (const text of ['a', 'b']) void client.send('c1', text);
  void client.close('c1', { disposition: 'solved' });
  void client.send('c2', 'z');
  assert.deepEqual(words(last()), ['send a', 'send z']);
  answers(last(), last().sent[0], { ok: true, number: 2, at: 1 });
  assert.deepEqual(words(last()), ['send a', 'send z', 'send b']);
  answers(last(), last().sent[2], { ok: true, number: 3, at: 1 });
  assert.deepEqual(words(last()).at(-1), 'close c1');
  assert.equal(last().sent.at(-1).disposition, 'solved');
});

test('what was not answered is sent again with its id, and what was is not', async () => {
  const { last, client, time } = await live();
  const accepted = client.accept('o1');
  const status = client.setStatus('available', ['chat']);
  void client.send('c1', 'a');
  void client.send('c1', 'b');
  const before = last().sent;
  answers(last(), before[1]);
  await status;
  last().ends(1006);
  assert.deepEqual(client.state.pending.map(({ command, state }) => [command.text, state]), [['a', 'waiting'], ['b', 'waiting']]);
  void client.send('c1', 'c');
  await time.advance(1_000);
  last().welcomes({ snapshot: { conversations: [conversation('c1')] } });
  assert.deepEqual(words(last()), ['accept ', 'send a']);
  assert.deepEqual(last().sent.map(({ id }) => id), [before[0].id, before[2].id]);
  answers(last(), before[0], { ok: true, conversation: 'c1' });
  assert.equal((await accepted).conversation, 'c1');
  for (const text of ['a', 'b', 'c']) {
    assert.equal(last().sent.at(-1).text, text);
    answers(last(), last().sent.at(-1), { ok: true, number: 2, at: 1 });
  }
  assert.equal(client.state.pending.length, 0);
});

test('a refusal is told to who asked, and a refused text stays until it is discarded', async () => {
  const { last, client, env } = await live();
  const accepted = client.accept('o1');
  answers(last(), last().sent[0], { error: { code: 'offer_gone', message: 'gone', end: 'expired' } });
  await assert.rejects(accepted, (error) => error instanceof Refused && error.code === 'offer_gone' && error.error.end === 'expired');
  const sent = client.send('c1', 'x');
  const id = last().sent[1].id;
  answers(last(), last().sent[1], { error: { code: 'wrong_state', message: 'closed', state: 'closed' } });
  await assert.rejects(sent, Refused);
  assert.deepEqual(client.state.pending.map(({ state, error }) => [state, error?.code]), [['refused', 'wrong_state']]);
  // Also after a reload, and it is not sent again by itself.
  const again = new AgentClient({ url: 'http://h', token: 't', environment: env });
  await again.connect();
  await settled();
  last().welcomes();
  assert.deepEqual([again.state.pending.map(({ state }) => state), last().sent], [['refused'], []]);
  again.discard(id);
  assert.deepEqual(again.state.pending, []);
  assert.deepEqual((await env.storage.keys('')).filter((key) => key.includes('outbox')), []);
});

test('busy, unavailable and the like are tried again with the same id, not before they said', async () => {
  const { last, client, time, world } = await live();
  world.random = 0;
  void client.send('c1', 'a');
  void client.send('c1', 'b');
  for (const code of ['busy', 'unavailable', 'rate_limited', 'behind']) {
    const count = last().sent.length;
    answers(last(), last().sent.at(-1), { error: { code, message: '', retry_after_ms: 700 } });
    assert.equal(client.state.pending[0]?.state, 'waiting');
    await time.advance(699);
    assert.equal(last().sent.length, count);
    await time.advance(1);
    assert.deepEqual([last().sent.length, last().sent.at(-1)], [count + 1, last().sent[0]]);
  }
  answers(last(), last().sent[0], { ok: true, number: 2, at: 1 });
  assert.equal(last().sent.at(-1).text, 'b');
});

test('what is written without a connection outlives a reload, and is sent once', async () => {
  const { last, client, env, time } = await live();
  last().ends(1006);
  void client.send('c1', 'a');
  void client.note('c1', 'n');
  void client.send('c1', 'b');
  client.stop();
  const again = new AgentClient({ url: 'http://h', token: 't', environment: env });
  await again.connect();
  await settled();
  assert.deepEqual(again.state.pending.map(({ command }) => command.text), ['a', 'n', 'b']);
  last().welcomes({ snapshot: { conversations: [conversation('c1')] } });
  for (const [at, text] of ['a', 'n', 'b'].entries()) {
    assert.equal(last().sent[at].text, text);
    answers(last(), last().sent[at], { ok: true, number: at + 2, note: 1, at: 1 });
  }
  assert.equal(again.state.pending.length, 0);
  again.stop();
  await time.advance(1_000);
  const third = new AgentClient({ url: 'http://h', token: 't', environment: env });
  await third.connect();
  await settled();
  last().welcomes();
  assert.deepEqual([third.state.pending, last().sent], [[], []]);
});

test('what is too large for a frame is refused here, and what the server found too large is not sent again', async () => {
  const { last, client, time } = await live();
  await assert.rejects(client.send('c1', 'é'.repeat(33_000)), { code: 'too_large' });
  assert.equal(last().sent.length, 0);
  const large = client.send('c1', 'x'.repeat(60_000));
  void client.send('c2', 'small');
  last().ends(1009);
  await assert.rejects(large, { code: 'too_large' });
  await time.advance(1_000);
  last().welcomes();
  assert.deepEqual(words(last()), ['send small']);
});

test('typing and input are for now or never, and not for each key', async () => {
  const { last, client, time } = await live();
  for (let key = 0; key < 5; key++) client.typing('c1');
  client.input();
  client.input();
  assert.deepEqual(words(last()), ['typing c1', 'input ']);
  last().ends(1006);
  await time.advance(400);
  client.typing('c2');
  await time.advance(100);
  last().welcomes();
  assert.deepEqual(last().sent, []);
});

test('an answer that grows is told some times a second, and taken back at once', async () => {
  const { last, client, time } = await live();
  const drafts = () => last().sent.map(({ type, text }) => `${type} ${text}`);
  client.draft('c1', 'so');
  client.draft('c1', 'so f');
  await time.advance(150);
  client.draft('c1', 'so far');
  client.draft('c2', 'elsewhere');
  client.draft('c1', '');
  assert.deepEqual(drafts(), ['typing so', 'typing so far', 'typing elsewhere', 'typing ']);
});

test('pages of the snapshot are asked for until there is none, and anew after a snapshot', async () => {
  const { last, client, time } = await live();
  last().says({ type: 'snapshot', position: 20, snapshot: { status: 'away', available: false, channels: [], connection: 'online', offers: [], conversations: [conversation('c1')], cursor: 'k1' } });
  assert.deepEqual(last().sent.map(({ type, cursor }) => [type, cursor]), [['own', 'k1']]);
  const first = last().sent[0];
  last().says({ type: 'snapshot', position: 21, snapshot: { status: 'away', available: false, channels: [], connection: 'online', offers: [], conversations: [conversation('c1')], cursor: 'k2' } });
  answers(last(), first, { ok: true, conversations: [conversation('c9')] });
  assert.equal(client.state.complete, false, 'a page of an older snapshot completes nothing');
  answers(last(), last().sent[1], { error: { code: 'busy', message: '', retry_after_ms: 50 } });
  await time.advance(50);
  answers(last(), last().sent[2], { ok: true, conversations: [conversation('c5')], position: 22 });
  assert.deepEqual([client.state.complete, Object.keys(client.state.conversations)], [true, ['c1', 'c5']]);
});

test('messages that are missing are asked for, once for each gap', async () => {
  const { last, client } = await live();
  const message = (/** @type {number} */ number) => ({ type: 'message', position: 20 + number, conversation: 'c1', number, author: { customer: 'x' }, text: '', at: 1 });
  last().says(message(2));
  assert.deepEqual(last().sent, []);
  last().says(message(5));
  last().says(message(6));
  assert.deepEqual(last().sent.map(({ type, after }) => [type, after]), [['history', 2]]);
  answers(last(), last().sent[0], { ok: true, messages: [3].map(message), more: true });
  assert.deepEqual(last().sent[1].after, 3);
  answers(last(), last().sent[1], { ok: true, messages: [], more: false });
  assert.equal(last().sent.length, 2);
  assert.deepEqual(client.state.threads.c1?.messages.map(({ number }) => number), [2, 3, 5, 6]);
});

test('what is watched is watched again', async () => {
  const { last, client, time } = await live();
  void client.watch('queues', { limit: 10 });
  answers(last(), last().sent[0], { ok: true, rows: [{ queue: 'support' }] });
  last().ends(1006);
  await time.advance(1_000);
  last().welcomes();
  assert.deepEqual(last().sent.map(({ type, what, limit }) => [type, what, limit]), [['watch', 'queues', 10]]);
  answers(last(), last().sent[0], { ok: true, rows: [{ queue: 'support' }] });
  void client.unwatch('queues');
  answers(last(), last().sent[1]);
  last().ends(1006);
  await time.advance(2_000);
  last().welcomes();
  assert.deepEqual([last().sent, client.state.watched], [[], {}]);
});

test('there is an end to what waits', async () => {
  const { last, client } = await live();
  last().ends(1006);
  for (let count = 0; count < 500; count++) void client.send('c1', 'x');
  await assert.rejects(client.send('c1', 'one more'), { code: 'too_many' });
  for (let count = 0; count < 1_000; count++) void client.read('c1', 1);
  await assert.rejects(client.read('c1', 1), { code: 'too_many' });
});
