// When to come back: each close code as docs/wire.md says it, with and without advice.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { adviceOf, comeBack } from '../src/agent/come_back.js';
import { fullJitter } from '../src/shared/backoff.js';

test('full jitter is from 0 to a second, doubling to thirty', () => {
  const most = [0, 1, 2, 3, 4, 5, 6, 100].map((attempt) => fullJitter(attempt, 1));
  assert.deepEqual(most, [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  assert.equal(fullJitter(7, 0), 0);
});

/** code, reason, attempt -> what is done, with the most and the least chance. @type {[number | undefined, string, number, any, any?][]} */
const CASES = [
  [1000, '', 0, 'never'],
  [1002, '', 0, 'never'],
  [1003, '', 0, 'never'],
  [1007, '', 0, 'never'],
  [1009, '', 0, [0, 1_000]],
  [1006, '', 0, [0, 1_000]],
  [1006, '', 5, [0, 30_000]],
  [undefined, '', 1, [0, 2_000]],
  [4000, 'signed_out', 0, 'never'],
  [4001, 'token_expired', 0, 'with_token'],
  [4003, 'forbidden', 0, 'never'],
  [4004, 'too_many_devices', 0, 'never'],
  [4008, 'bad_frames', 0, 'never'],
  [4042, 'of_a_later_server', 0, 'never'],
  [4100, 'retry_after_ms=1500', 0, [1_500, 1_875]],
  [4100, 'retry_after_ms=60000', 3, [60_000, 61_000]],
  [4100, '', 0, [0, 1_000]],
  [4101, 'retry_after_ms=200', 0, [200, 250]],
  [4102, 'retry_after_ms=10000', 0, [10_000, 11_000]],
  [4103, 'retry_after_ms=10000', 0, [10_000, 11_000]],
  [4200, 'retry_after_ms=700', 0, [700, 700]],
  [4200, 'retry_after_ms=700', 4, [700, 700]],
  [4200, '', 0, [0, 0]],
  [4201, 'too_slow', 0, [0, 0]],
  [4202, 'resync', 0, [0, 0]],
  [4202, 'resync', 1, [0, 2_000]],
];

for (const [code, reason, attempt, wanted] of CASES) {
  test(`after ${code} ${reason} for the ${attempt + 1}. time: ${JSON.stringify(wanted)}`, () => {
    const [least, most] = [0, 1].map((random) => comeBack({ code, reason }, attempt, random));
    assert.ok(least && most);
    if (typeof wanted === 'string') return assert.deepEqual([least.come, most.come], [wanted, wanted]);
    assert.ok(least.come === 'later' && most.come === 'later');
    assert.deepEqual([least.ms, most.ms], wanted);
    assert.equal(least.advised, reason.startsWith('retry'));
  });
}

test('what is said over HTTP counts like what is said at a close', () => {
  assert.deepEqual(comeBack({ code: 1006, retry_after_ms: 4_000 }, 9, 0), { come: 'later', ms: 4_000, advised: true });
});

test('only a whole number is advice', () => {
  assert.deepEqual(['retry_after_ms=5', 'retry_after_ms=-5', 'retry_after_ms=', 'x retry_after_ms=5', 'retry_after_ms=5x'].map(adviceOf), [
    5, undefined, undefined, undefined, undefined,
  ]);
});

test('every code of the document is decided here', () => {
  const text = readFileSync(new URL('../../../docs/wire.md', import.meta.url), 'utf8');
  const table = text.split('\n### Closing\n')[1]?.split('\n\nWhen many')[0] ?? '';
  const codes = table.split('\n').flatMap((row) => (row.startsWith('| ') ? (row.split('|')[1]?.match(/\d{4}/g) ?? []) : []));
  const held = new Set(CASES.map(([code]) => String(code)));
  assert.ok(codes.length >= 14, `only ${codes}`);
  assert.deepEqual(codes.filter((code) => !held.has(code)), []);
});
