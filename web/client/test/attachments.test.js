// What is added to a message before it is sent, and pictures that are shown: at most so many, refused by name, sent when all is up; and no more
// kept than there is room for.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Attachments, kindsOf, mayBeTriedAgain, pastedFiles, plain, sized } from '../src/pages/attachments.js';
import { Pictures, placeOf } from '../src/pages/pictures.js';
import { Refused } from '../src/shared/refused.js';
import { settled } from './support.js';

/** @param {string} name @param {string} [type] @param {number} [bytes] */
const file = (name, type = 'text/plain', bytes = 10) => new File(['x'.repeat(bytes)], name, { type });

/** Uploads whose end the test says. */
function played() {
  /** @type {Record<string, { done: (attached: any) => void, fail: (error: any) => void, options: import('../src/shared/files.js').UploadOptions }>} */
  const going = {};
  let changes = 0;
  const items = new Attachments({
    upload: (_, { name }, options) => new Promise((done, fail) => (going[name] = { done, fail, options })),
    allowed: () => ({ max_bytes: 100, types: ['image/png', 'text/plain'] }),
    changed: () => changes++,
  });
  return { items, going, states: () => items.items.map(({ name, state }) => `${name} ${state}`), changes: () => changes };
}

test('what is added is on its way, at most five, each refused where it need not be sent up for that', () => {
  const { items, going, states } = played();
  assert.equal(items.add('c1', [file('a'), file('b', 'video/mp4'), file('c', 'image/gif'), file('d', 'text/plain', 101), file('e', 'application/x'), file('f')]), 1);
  assert.deepEqual(states(), ['a going', 'b refused', 'c refused', 'd refused', 'e going']);
  assert.deepEqual(Object.keys(going), ['a', 'e']);
  const [, b, , d] = items.items;
  assert.deepEqual([b?.error?.field, b?.error?.allowed, d?.error?.max_bytes], ['type', ['image/png', 'text/plain'], 100]);
  assert.equal(items.add('c2', [file('g')]), 0);
  assert.deepEqual([items.of('c1').length, items.of('c2').length], [5, 1]);
});

test('a message goes when all of it is up, with what is up, in the order in which it was added', async () => {
  const { items, going, states } = played();
  /** @type {string[][]} */
  const sent = [];
  items.add('c1', [file('a'), file('b'), file('c')]);
  items.whenUp('c1', (files) => sent.push(files.map((one) => one.file)));
  assert.equal(items.isWaiting('c1'), true);
  // Two at once, the third when there is room.
  assert.deepEqual(Object.keys(going), ['a', 'b']);
  going.b?.done({ file: 'f_b' });
  await settled();
  going.c?.fail(new Refused({ code: 'wrong_state', message: '' }));
  await settled();
  assert.deepEqual([sent, states()], [[], ['a going', 'b up', 'c refused']]);
  going.a?.options.onProgress?.({ sent: 5, total: 10, waits: true });
  assert.deepEqual([items.items[0]?.state, items.items[0]?.sent], ['waits', 5]);
  going.a?.done({ file: 'f_a' });
  await settled();
  assert.deepEqual([sent, states(), items.isWaiting('c1')], [[['f_a', 'f_b']], ['c refused'], false]);
  const [c] = items.items;
  assert.ok(c && mayBeTriedAgain(c));
  items.again(c.id);
  going.c?.fail(new Refused({ code: 'file_refused', message: '' }));
  await settled();
  assert.equal(mayBeTriedAgain(c), false);
});

test('what is taken away is asked for no more, and what waited for it goes', async () => {
  const { items, going } = played();
  let sent = 0;
  items.add('c1', [file('a')]);
  items.whenUp('c1', () => sent++);
  items.remove(items.items[0]?.id ?? '');
  assert.deepEqual([going.a?.options.signal?.aborted, sent, items.items.length], [true, 1, 0]);
  going.a?.done({ file: 'f_a' });
  await settled();
  items.add('c1', [file('b')]);
  items.add('c2', [file('c')]);
  items.keepOnly((conversation) => conversation === 'c2');
  assert.deepEqual(items.items.map(({ name }) => name), ['c']);
});

test('names, sizes and kinds as people read them', () => {
  assert.equal(plain('a\u202egnp.exe\n\u200b'), 'agnp.exe');
  assert.deepEqual([sized(1, 'en'), sized(2_048, 'en'), sized(1_500_000, 'en'), sized(10_485_760, 'en')], ['0.1 kB', '2 kB', '1.4 MB', '10 MB']);
  assert.equal(kindsOf(['image/png', 'application/pdf', 'text/plain', 'image/svg+xml']), 'PNG, PDF, TXT, SVG');
  const data = (/** @type {string[]} */ types) => /** @type {any} */ ({ types, files: [file('a')] });
  assert.deepEqual([pastedFiles(data(['text/html', 'Files'])).length, pastedFiles(data(['text/plain', 'Files'])).length, pastedFiles(null).length], [1, 0, 0]);
  const most = { width: 240, height: 260, least: 48 };
  assert.deepEqual(placeOf({ width: 900, height: 600 }, most), { width: 240, height: 160 });
  assert.deepEqual(placeOf({ width: 10, height: 9_000 }, most), { width: 48, height: 260 });
});

test('a picture is read once for all its places, four at a time, and goes when others need the room', async () => {
  /** @type {Record<string, { done: (blob: Blob) => void, fail: (error: unknown) => void, signal: AbortSignal }>} */
  const asked = {};
  const pictures = new Pictures((_, name, { signal }) => new Promise((done, fail) => (asked[name] = { done, fail, signal })), 250);
  const which = (/** @type {string} */ name) => ({ conversation: 'c1', file: name });
  const user = () => {
    const one = { address: '', error: /** @type {unknown} */ (undefined), ready: (/** @type {string} */ address) => void (one.address = address), failed: (/** @type {unknown} */ error) => void (one.error = error) };
    return one;
  };
  const blob = new Blob(['x'.repeat(100)]);
  const [a, b, c, d, e, f] = [user(), user(), user(), user(), user(), user()];
  [a, b, c, d, e].forEach((one, place) => pictures.use(which('abcde'[place] ?? ''), one));
  pictures.use(which('a'), f);
  assert.deepEqual(Object.keys(asked), ['a', 'b', 'c', 'd']);
  asked.a?.done(blob);
  await settled();
  assert.ok(a.address.startsWith('blob:') && f.address === a.address);
  assert.deepEqual(Object.keys(asked), ['a', 'b', 'c', 'd', 'e']);
  // What nobody wants any more is not read to its end, and what fails may be asked for again.
  pictures.leave(which('b'), b);
  assert.equal(asked.b?.signal.aborted, true);
  asked.c?.fail('gone');
  asked.d?.done(blob);
  asked.e?.done(blob);
  await settled();
  assert.deepEqual([c.error, pictures.held.has('c1 c'), b.address], ['gone', false, '']);
  // Over the limit, but in sight.
  assert.equal(pictures.bytes, 300);
  pictures.leave(which('d'), d);
  assert.deepEqual([pictures.bytes, [...pictures.held.keys()]], [200, ['c1 e', 'c1 a']]);
  await assert.rejects(fetch(d.address));
  pictures.leave(which('a'), a);
  pictures.leave(which('a'), f);
  assert.equal((await (await fetch(a.address)).blob()).size, 100);
});
