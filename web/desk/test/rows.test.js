import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BLOCK, blocks, rowsOf, sameBlock } from '../src/console/rows.js';

const MIN = 60_000;
const NOON = Date.UTC(2026, 10, 26, 12);
/** @param {number} number @param {number} [at] @param {object} [author] */
const message = (number, at = NOON + number, author = { customer: 'x' }) => /** @type {any} */ ({ number, author, text: String(number), at });
/** @param {number} note @param {number} after */
const noteAt = (note, after) => /** @type {any} */ ({ note, author: 'ada', after, text: 'n', at: NOON });
const many = (/** @type {number} */ count) => Array.from({ length: count }, (_, place) => message(place + 1));

test('a thread is cut into blocks by number, and more of it leaves those before as they are', () => {
  const before = blocks(many(120), [], 1);
  const after = blocks(many(121), [], 1);
  assert.deepEqual(before.map(({ key, messages }) => [key, messages.length]), [['b0', BLOCK], ['b1', BLOCK], ['b2', 20]]);
  const [messages] = [many(120)];
  const again = blocks([...messages], [], 1);
  const once = blocks(messages, [], 1);
  assert.ok(sameBlock(/** @type {any} */ (once[0]), /** @type {any} */ (again[0])));
  assert.ok(!sameBlock(/** @type {any} */ (before[2]), /** @type {any} */ (after[2])));
});

test('what lies before a number is left out, with its notes', () => {
  const shown = blocks(many(120), [noteAt(1, 3), noteAt(2, 110)], 101);
  assert.deepEqual(shown.map(({ key, notes, before }) => [key, notes.length, before?.number]), [['b2', 1, 100]]);
  assert.deepEqual(rowsOf(/** @type {any} */ (shown[0])).filter(({ kind }) => kind === 'day').length, 0);
});

test('what lies from a number on is left out, with the notes behind it', () => {
  const shown = blocks(many(120), [noteAt(1, 3), noteAt(2, 70), noteAt(3, 110)], 41, 81);
  assert.deepEqual(shown.map(({ key, messages, notes, after }) => [key, messages.length, notes.length, after?.number]), [['b0', 10, 0, 51], ['b1', 30, 1, 81]]);
});

test('each note stands once, where it was written', () => {
  const notes = [noteAt(1, 0), noteAt(2, 2), noteAt(3, 50), noteAt(4, 60)];
  const keys = blocks(many(60), notes, 1).flatMap((block) => rowsOf(block).map(({ key }) => key));
  assert.deepEqual(keys.filter((key) => key.startsWith('n')), ['n1', 'n2', 'n3', 'n4']);
  assert.ok(keys.indexOf('n1') < keys.indexOf('m1') && keys.indexOf('n2') === keys.indexOf('m2') + 1);
  assert.equal(keys.indexOf('n3'), keys.indexOf('m50') + 1);
  assert.equal(keys.at(-1), 'n4');
  assert.equal(new Set(keys).size, keys.length);
  assert.deepEqual(blocks([], [noteAt(1, 0)], 1).flatMap((block) => rowsOf(block).map(({ key }) => key)), ['n1']);
});

test('what one author says in a row belongs together, until another speaks, a while passes or a note stands between', () => {
  const said = [message(1, NOON), message(2, NOON + MIN), message(3, NOON + 20 * MIN), message(4, NOON + 21 * MIN, { agent: 'ada' }), message(5, NOON + 21 * MIN, { agent: 'ada' })];
  const rows = blocks(said, [noteAt(1, 4)], 1).flatMap(rowsOf).filter(({ kind }) => kind === 'message');
  assert.deepEqual(rows.map((/** @type {any} */ row) => [row.first, row.last]), [[true, false], [false, true], [true, true], [true, true], [true, true]]);
});

test('messages that are missing leave a gap, and another day says so', () => {
  const rows = blocks([message(1), message(4, NOON + 24 * 60 * MIN)], [], 1).flatMap(rowsOf);
  assert.deepEqual(rows.map(({ kind }) => kind), ['day', 'message', 'gap', 'day', 'message']);
});
