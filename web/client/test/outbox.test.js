// What is written and not answered: as a list, and in storage.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Kept, answered, changed, queued, unsent } from '../src/shared/outbox.js';
import { memoryStorage, webStorage } from '../src/shared/storage.js';

/** @param {string} id @param {any} [more] @returns {import('../src/shared/outbox.js').Entry} */
const entry = (id, more = {}) => ({ id, command: { type: 'send', id, text: id }, at: 5, state: 'waiting', ...more });
const error = { code: 'wrong_state', message: 'closed' };

test('an entry is there once, and goes when it is answered', () => {
  const one = queued(queued([], entry('a')), entry('b'));
  assert.equal(queued(one, entry('a')), one);
  assert.deepEqual(answered(one, 'a').map(({ id }) => id), ['b']);
  assert.equal(answered(one, 'z'), one);
  assert.deepEqual(answered(one, 'a', error)[0], { ...entry('a'), state: 'refused', error, seen: undefined });
  assert.deepEqual(one, [entry('a'), entry('b')]);
});

test('what was sent waits again when the connection is gone, and what was refused stays refused', () => {
  const list = [entry('a', { state: 'sent' }), entry('b', { state: 'refused', error })];
  assert.deepEqual(unsent(list).map(({ state }) => state), ['waiting', 'refused']);
  const same = [entry('a')];
  assert.equal(unsent(same), same);
  assert.equal(changed(same, 'z', { state: 'sent' }), same);
});

test('what is kept comes back in the order in which it was written, waiting', async () => {
  const storage = memoryStorage();
  const kept = new Kept(storage, 'scope');
  for (const [id, at] of /** @type {[string, number][]} */ ([['c', 5], ['a', 5], ['b', 6]])) await kept.keep(entry(id, { at, state: 'sent' }));
  await kept.keep(entry('b', { at: 9, state: 'refused', error }));
  const other = new Kept(storage, 'scope');
  const loaded = await other.load();
  assert.deepEqual(loaded.map(({ id, state }) => [id, state]), [['c', 'waiting'], ['a', 'waiting'], ['b', 'refused']]);
  await other.drop('c');
  assert.deepEqual((await new Kept(storage, 'scope').load()).map(({ id }) => id), ['a', 'b']);
  assert.deepEqual(await new Kept(storage, 'other').load(), []);
});

test('a storage that is full, forbidden or spoilt loses what it holds and nothing else', async () => {
  const full = { ...memoryStorage(), write: () => { throw new Error('quota'); } };
  assert.equal(await new Kept(full, 's').keep(entry('a')), false);
  const forbidden = { ...memoryStorage(), keys: () => Promise.reject(new Error('denied')) };
  assert.deepEqual(await new Kept(forbidden, 's').load(), []);
  const spoilt = memoryStorage(new Map([['s|outbox|1', '{'], ['s|outbox|2', '{"id":1}'], ['s|outbox|3', JSON.stringify(entry('a'))]]));
  assert.deepEqual((await new Kept(spoilt, 's').load()).map(({ id }) => id), ['a']);
});

test('localStorage is one', async () => {
  /** @type {Map<string, string>} */
  const held = new Map();
  const page = {
    getItem: (/** @type {string} */ key) => held.get(key) ?? null,
    setItem: (/** @type {string} */ key, /** @type {string} */ value) => void held.set(key, value),
    removeItem: (/** @type {string} */ key) => void held.delete(key),
    key: (/** @type {number} */ at) => [...held.keys()][at] ?? null,
    get length() {
      return held.size;
    },
    clear: () => held.clear(),
  };
  const storage = webStorage(page);
  assert.ok(storage);
  await new Kept(storage, 's').keep(entry('a'));
  await storage.write('other', '1');
  const again = new Kept(storage, 's');
  assert.deepEqual((await again.load()).map(({ id }) => id), ['a']);
  await again.drop('a');
  assert.deepEqual([...held.keys()], ['other']);
});
