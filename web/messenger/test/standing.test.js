import assert from 'node:assert/strict';
import { test } from 'node:test';
import { initial } from '../../client/src/messenger/state.js';
import { standing, welcome } from '../src/standing.js';
import { speak } from '../src/words.js';

const { words } = speak(['en']);
const conversation = { conversation: 'c1', state: 'waiting', last_number: 1, read_by_agent: 0, read_by_customer: 1 };

/** @param {object} [facts] Of the conversation. @param {object} [more] Of the state. */
function stands(facts, more = {}) {
  const state = { ...initial(), stale: false, link: { phase: /** @type {const} */ ('live') }, ...(facts && { conversation: { ...conversation, ...facts } }), ...more };
  const told = standing(state, 1_000, words, { language: 'en', time: (at) => `at ${at}` });
  // The isolates are held elsewhere.
  return Object.fromEntries(Object.entries(told).map(([name, value]) => [name, typeof value === 'string' ? value.replace(/[\u2066-\u2069]/g, '') : value]));
}

test('before a conversation nothing is said of it', () => {
  assert.deepEqual(stands(), { fact: '', banner: '', typing: '', goesOn: false, isOver: false, isAlone: false });
});

test('who waits is told the place, and the estimate where there is one', () => {
  assert.equal(stands({}).fact, 'You are in line');
  assert.equal(stands({ place: 3 }).fact, 'You are in line, place 3');
  const estimate = { p50_ms: 40_000, p90_ms: 61_000 };
  assert.equal(stands({ place: 3, estimate }).fact, 'You are in line, place 3. Usually 1 minute, seldom over 2 minutes');
});

test('what may have changed is no place and no estimate, and is said to be old', () => {
  const waiting = { place: 3, estimate: { p50_ms: 1, p90_ms: 2 } };
  const old = stands(waiting, { stale: true, last_event: 1 });
  assert.deepEqual([old.fact, old.banner], ['You are in line', words.connecting]);
  // One that was begun just now is not old, unless its stream could not be opened.
  assert.equal(stands(waiting, { stale: true }).banner, '');
  assert.equal(stands(waiting, { stale: true, link: { phase: 'offline' } }).banner, words.connecting);
});

test('when nobody is there it is said until when, and an address is asked for', () => {
  const { fact, isAlone, goesOn } = stands({ opens_at: 7 });
  assert.deepEqual([fact, isAlone, goesOn], ['Nobody is here until at 7. What you write now is answered then.', true, true]);
  const notice = (/** @type {string} */ notice) => stands({}, { messages: [{ number: 2, author: 'system', notice, text: '', at: 0 }] }).isAlone;
  assert.deepEqual([notice('nobody_there'), notice('out_of_hours'), notice('reminder')], [true, true, false]);
});

test('an agent is named, types, and may be away for a moment', () => {
  const active = { state: 'active', agent: { title: 'Ada' }, agent_connection: 'online' };
  assert.equal(stands(active).fact, 'You are talking with Ada');
  assert.equal(stands(active, { typing_until: 1_001 }).typing, 'Ada is writing');
  assert.equal(stands(active, { typing_until: 1_000 }).typing, '');
  assert.equal(stands({ ...active, agent_connection: 'reconnecting' }).fact, 'Ada is reconnecting. What you write is kept.');
});

test('what has ended, or may not be looked at any more, is over', () => {
  const { isOver, goesOn, banner } = stands({ state: 'closed' }, { stale: true });
  assert.deepEqual([isOver, goesOn, banner], [true, false, '']);
  const stopped = stands({ state: 'active', agent: { title: 'Ada' } }, { link: { phase: 'stopped', why: 'not_found' } });
  assert.deepEqual([stopped.isOver, stopped.banner], [true, words.stopped]);
});

test('whoever left a message does not wait here', () => {
  const { fact, isAlone, goesOn } = stands({ message: true, opens_at: 7, place: 1 });
  assert.deepEqual([fact, isAlone, goesOn], [words.taken, false, true]);
});

test('before anything is begun it is said whether anybody is there', () => {
  const own = { greeting: 'Hello', offline: undefined };
  const there = { open: true, nobody_there: false, message: false };
  const says = (/** @type {any} */ reception, more = {}) =>
    welcome(reception, { ...own, ...more }, words, { language: 'en', time: (at) => `at ${at}` }).replace(/[\u2066-\u2069]/g, '');
  assert.equal(says(undefined), 'Hello');
  assert.equal(says(there), 'Hello');
  assert.equal(says({ ...there, estimate: { p50_ms: 1, p90_ms: 61_000 } }), 'Hello\nUsually 1 minute, seldom over 2 minutes');
  assert.equal(says({ ...there, refused: 'nobody_there', message: true }), words.offline);
  assert.equal(says({ ...there, refused: 'nobody_there' }), words.nobody_there);
  assert.equal(says({ ...there, refused: 'queue_closed', opens_at: 7, message: true }), 'Nobody is here until at 7. Leave a message, and we answer by e-mail.');
  assert.equal(says({ ...there, refused: 'queue_closed', opens_at: 7 }), 'Nobody is here until at 7.');
  assert.equal(says({ ...there, refused: 'queue_full' }), words.queue_full);
  assert.equal(says({ ...there, refused: 'queue_closed', message: true }, { offline: 'We are out.' }), 'We are out.');
});
