import assert from 'node:assert/strict';
import { test } from 'node:test';
import { initial } from '../../client/src/agent/state.js';
import { listed, matches, nameOf, rowOf, waitsSince } from '../src/console/order.js';

/** @param {string} id @param {object} [more] */
const conversation = (id, more = {}) => /** @type {any} */ ({
  conversation: id, state: 'active', channel: 'chat', queue: 'support', priority: 0, skills: [], customer: 'x', known: false, name: null, metadata: {},
  opened_at: 1_000, waiting_since: 1_000, last_number: 0, read_by_agent: 0, read_by_customer: 0, owner: 'ada', as_of: 1, ...more,
});
/** @param {number} number @param {object} author @param {number} at @param {string} [text] */
const message = (number, author, at, text = 'x') => /** @type {any} */ ({ number, author, text, at });
const customer = { customer: 'x' };
const ada = { agent: 'ada' };

/** @param {any[]} conversations @param {Record<string, any[]>} threads */
const state = (conversations, threads = {}) => /** @type {any} */ ({
  ...initial(),
  agent: { name: 'ada', title: 'Ada', role: 'agent' },
  conversations: Object.fromEntries(conversations.map((one) => [one.conversation, one])),
  threads: Object.fromEntries(Object.entries(threads).map(([id, messages]) => [id, { messages, notes: [], begins: true, typing: {} }])),
});

test('a customer waits from its first message after the last of an agent', () => {
  const held = conversation('c1', { last_number: 4 });
  const thread = (/** @type {any[]} */ ...messages) => /** @type {any} */ ({ messages, notes: [], begins: true, typing: {} });
  const said = [message(1, customer, 10), message(2, ada, 20), message(3, customer, 30), message(4, customer, 40)];
  assert.equal(waitsSince(held, thread(...said)), 30);
  assert.equal(waitsSince(conversation('c1', { last_number: 2 }), thread(...said.slice(0, 2))), undefined);
  // What the workspace itself says answers nobody.
  assert.equal(waitsSince(conversation('c1', { last_number: 2 }), thread(said[0], message(2, { system: 'reminder' }, 20))), 10);
  assert.equal(waitsSince({ ...held, state: 'wrap_up' }, thread(...said)), undefined);
});

test('before anybody has looked, the clock of service or what is unread says whether it waits', () => {
  assert.equal(waitsSince(conversation('c1', { last_number: 3, read_by_agent: 3 }), undefined), undefined);
  assert.equal(waitsSince(conversation('c1', { last_number: 3, read_by_agent: 2 }), undefined), 1_000);
  const clocks = [{ clock: 'next_reply', state: 'pending', since: 77, due: 99 }];
  assert.equal(waitsSince(conversation('c1', { last_number: 3, read_by_agent: 3, clocks }), undefined), 77);
  // A thread that is not up to date tells nothing.
  assert.equal(waitsSince(conversation('c1', { last_number: 3, read_by_agent: 3 }), /** @type {any} */ ({ messages: [message(1, customer, 5)] })), undefined);
});

test('who waits for an answer comes first, the longest wait before the others, and wrap-up before what is open', () => {
  const all = [
    conversation('c1', { last_number: 1, read_by_agent: 1 }),
    conversation('c2', { last_number: 1 }),
    conversation('c10', { last_number: 1 }),
    conversation('c4', { state: 'wrap_up', wrap_up_ends_at: 500 }),
    conversation('c5', { last_number: 1, read_by_agent: 1, paused_weight_percent: 20 }),
  ];
  const parts = listed(state(all, { c1: [message(1, ada, 5)], c2: [message(1, customer, 50)], c10: [message(1, customer, 40)], c5: [message(1, ada, 6)] }), 0);
  assert.deepEqual(parts.map(({ part, rows }) => [part, rows.map(({ id }) => id)]), [
    ['needs', ['c10', 'c2']], ['wrap_up', ['c4']], ['open', ['c1']], ['paused', ['c5']],
  ]);
});

test('a row says what was said last, by whom, and what is new', () => {
  const held = conversation('c1', { last_number: 2, read_by_agent: 1, name: ' Zoë ' });
  const row = rowOf(state([held], { c1: [message(1, customer, 5), message(2, ada, 9, 'two\n\n lines')] }), held, 0);
  assert.deepEqual([row.name, row.last, row.by, row.unread, row.at, row.part], ['Zoë', 'two lines', 'me', 1, 9, 'open']);
  const guest = conversation('c1', { owner: 'bob', joined: 'ada' });
  assert.equal(rowOf(state([guest]), guest, 0).guest, true);
  const reminded = conversation('c1', { reminded: true });
  assert.deepEqual([rowOf(state([reminded]), reminded, 0).part, rowOf(state([reminded]), reminded, 0).late], ['needs', true]);
});

test('a customer without a name is called by what it told, or by its conversation', () => {
  assert.equal(nameOf(conversation('c7', { metadata: { email: 'a@b.c' } })), 'a@b.c');
  assert.equal(nameOf(conversation('c7')), 'Visitor c7');
});

test('the list is narrowed by names, words and labels', () => {
  const held = conversation('c1', { name: 'Zoë', labels: { tags: ['vip'] }, metadata: { page: '/pricing' } });
  const row = rowOf(state([held]), held, 0);
  assert.ok(matches(row, held, 'zoë VIP') && matches(row, held, 'pricing') && matches(row, held, ''));
  assert.ok(!matches(row, held, 'zoë bob'));
});
