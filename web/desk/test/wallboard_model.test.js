import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FIRST, byNeed, fromQuery, groups, percent, sheetOf, spanOf, standing, sums, toQuery, urgency, words } from '../src/wallboard/model.js';

/** @param {Partial<import('../src/wallboard/model.js').QueueRow>} row */
const queue = (row) => ({ queue: 'q', title: 'Q', waiting: 0, offered: 0, active: 0, longest_wait_ms: 0, agents_available: 0, agents_there: 0, open: true, ...row });

test('who waits the longest comes first, then what is closed, and then the others by name', () => {
  const rows = [queue({ queue: 'a', title: 'B' }), queue({ queue: 'b', title: 'A' }), queue({ queue: 'c', title: 'C', waiting: 1, longest_wait_ms: 5 }), queue({ queue: 'd', title: 'D', waiting: 9, longest_wait_ms: 4 }), queue({ queue: 'e', title: 'E', waiting: 9, longest_wait_ms: 99, open: false })];
  assert.deepEqual(byNeed(rows).map((row) => row.queue), ['c', 'd', 'e', 'b', 'a']);
  assert.equal(sums(rows).longest?.queue, 'c', 'what nobody could end is not the longest');
});

test('the sums name the queue with the longest wait, and count what was in time', () => {
  const service = { counted_since: 0, lately: { achieved: 3, breached: 1 }, day: { achieved: 7, breached: 0 } };
  const all = sums([queue({ queue: 'a', waiting: 2, longest_wait_ms: 10, service }), queue({ queue: 'b', waiting: 1, longest_wait_ms: 30, active: 4 })]);
  assert.equal(all.waiting, 3);
  assert.equal(all.active, 4);
  assert.equal(all.longest?.queue, 'b');
  assert.equal(percent(all.lately), 75);
  assert.equal(percent(all.day), 100);
  assert.equal(sums([]).longest, undefined);
  assert.equal(percent({ achieved: 0, breached: 0 }), undefined);
  assert.equal(percent({ achieved: 999, breached: 1 }), 99, 'only all of it is a hundred');
});

test('what is counted since less than a day says so', () => {
  assert.equal(spanOf(0, 86_400_000, String), 'in 24 h');
  assert.equal(spanOf(7, 86_400_000, String), 'since 7');
});

test('a wait is urgent by the time that its queue gives', () => {
  const within = queue({ waiting: 1, service: { within_ms: 60_000, counted_since: 0, lately: { achieved: 0, breached: 0 }, day: { achieved: 0, breached: 0 } } });
  assert.deepEqual([20_000, 30_000, 60_000].map((ms) => urgency(within, ms)), ['', 'warn', 'bad']);
  assert.deepEqual([60_000, 120_000, 300_000].map((ms) => urgency(queue({ waiting: 1 }), ms)), ['', 'warn', 'bad']);
  assert.equal(urgency(queue({ waiting: 1, open: false }), 999_999), '', 'nobody can do anything while it is closed');
});

test('what is shown is asked of the server, and is in the address', () => {
  assert.deepEqual(sheetOf(FIRST), { order: 'since', limit: 50, connection: 'here' });
  assert.deepEqual(sheetOf({ ...FIRST, show: '=lunch', queue: 'sales', find: 'ada', order: 'load', page: 2 }), { order: 'load', limit: 50, skip: 100, connection: 'here', status: 'lunch', queue: 'sales', find: 'ada' });
  assert.equal(sheetOf({ ...FIRST, show: 'all' }).connection, undefined);
  assert.equal(sheetOf({ ...FIRST, find: '🙂'.repeat(40) }).find?.length, 32, 'at most 64 bytes, and no half a sign');
  const filter = { show: '=lunch', queue: 'a&b', find: 'x y', order: /** @type {const} */ ('load'), page: 3 };
  assert.deepEqual(fromQuery(toQuery(filter)), filter);
  assert.equal(toQuery(FIRST).toString(), '');
  assert.deepEqual(fromQuery(new URLSearchParams('order=up&page=-1')), FIRST);
});

test('agents are grouped by status, and who is away by connection', () => {
  const told = [
    { connection: 'online', status: 'available', available: true, agents: 3 },
    { connection: 'reconnecting', status: 'available', available: true, agents: 1 },
    { connection: 'online', status: 'team_lunch', available: false, agents: 2 },
    { connection: 'offline', status: 'away', available: false, agents: 40 },
  ];
  const { here, available, groups: all } = groups(told);
  assert.deepEqual([here, available], [6, 3]);
  assert.deepEqual(all.map(({ show, label, agents }) => [show, label, agents]), [['=available', 'Available', 4], ['=team_lunch', 'Team lunch', 2], ['reconnecting', 'Reconnecting', 1], ['offline', 'Offline', 40]]);
});

test('an agent stands as its connection says, and then as it chose', () => {
  const row = { agent: 'a', title: 'A', program: false, connection: 'online', status: 'available', available: true, since: 0, offers: 0, conversations: 0, load: 0 };
  assert.deepEqual(standing(row), { word: 'Available', dot: 'good' });
  assert.equal(standing({ ...row, load: 100 }).dot, 'warn');
  assert.equal(standing({ ...row, connection: 'unreachable' }).word, 'Unreachable');
  assert.equal(words('_'), '_');
});
