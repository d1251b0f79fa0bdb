// A customer's state as a table, and events cut anywhere.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { lines } from '../src/messenger/stream.js';
import { initial, missing, reduce, shifted, shown, worthKeeping } from '../src/messenger/state.js';

/** @typedef {import('../src/messenger/state.js').MessengerState} MessengerState */

/** @param {MessengerState} state */
function line(state) {
  /** @type {string[]} */
  const parts = [state.link.phase];
  if (state.stale) parts.push('stale');
  if (state.starting) parts.push('starting');
  const { conversation: held } = state;
  if (held) {
    const agent = held.agent ? ` by ${held.agent.title}` : '';
    parts.push(`${held.conversation}/${held.state} ${held.last_number},${held.read_by_agent},${held.read_by_customer}${held.place ? ` place ${held.place}` : ''}${agent}`);
  }
  parts.push(`[${state.messages.map(({ number, author }) => `${number}${author[0]}`)}]${state.begins ? ' whole' : ''} @${state.last_event}`);
  for (const { type, after } of state.happened) parts.push(`${type}>${after}`);
  for (const { id, state: how, seen } of state.pending) parts.push(`${id}:${how}${seen === undefined ? '' : `=${seen}`}`);
  if (state.typing_until) parts.push(`typing…${state.typing_until}`);
  if (state.draft) parts.push(`“${state.draft}”`);
  if (state.ignored) parts.push(`ignored ${state.ignored}`);
  return parts.join(' | ');
}

const facts = (more = {}) => ({ conversation: 'c1', state: 'waiting', queue: 'Support', place: 2, agent: null, last_number: 1, read_by_agent: 0, read_by_customer: 1, opened_at: 1, ...more });
const entry = (/** @type {string} */ id, command = {}) => ({ id, at: 1, state: 'waiting', command: { id, type: 'send', text: id, ...command } });
const start = { type: 'reply', id: 's', command: { type: 'start', id: 's', text: 'q' }, answer: { conversation: facts(), number: 1 } };
const live = { type: 'local.link', link: { phase: 'live' } };
const message = (/** @type {number} */ number, author = 'customer', more = {}) => ({ type: 'message', event_id: number + 1, number, author, text: `m${number}`, at: 1, ...more });
const begun = [start, live, { type: 'opened', event_id: 1, at: 1 }, message(1)];
const now = (more = {}) => ({ type: 'state', state: 'waiting', place: 1, ...more });

/** @type {[string, any[], string][]} */
const CASES = [
  ['nothing', [], 'idle | stale | [] @0'],
  ['a start that is written', [{ type: 'local.queued', entry: entry('s', { type: 'start' }) }], 'idle | stale | starting | [] @0 | s:waiting'],
  ['a start that is answered', [{ type: 'local.queued', entry: entry('s', { type: 'start' }) }, start], 'idle | stale | c1/waiting 1,0,1 place 2 | [1c] whole @0'],
  ['a start that is refused', [{ type: 'local.queued', entry: entry('s', { type: 'start' }) }, { ...start, answer: undefined, error: { code: 'queue_full' } }], 'idle | stale | [] @0 | s:refused'],
  ['live, but not yet as of now', begun, 'live | stale | c1/waiting 1,0,1 place 2 | [1c] whole @2'],
  ['as of now', [...begun, now()], 'live | c1/waiting 1,0,1 place 1 | [1c] whole @2'],
  ['offline again', [...begun, now(), { type: 'local.link', link: { phase: 'offline' } }], 'offline | stale | c1/waiting 1,0,1 place 1 | [1c] whole @2'],
  ['an agent joins', [...begun, { type: 'joined', event_id: 3, agent: { title: 'Ada' }, at: 1 }, now({ state: 'active', place: undefined, agent: { title: 'Ada' } })], 'live | c1/active 1,0,1 by Ada | [1c] whole @3 | joined>1'],
  ['goes, and it waits again', [...begun, { type: 'joined', event_id: 3, agent: { title: 'Ada' }, at: 1 }, { type: 'requeued', event_id: 4, at: 1 }, now()], 'live | c1/waiting 1,0,1 place 1 | [1c] whole @4 | joined>1 | requeued>1'],
  ['moved', [...begun, { type: 'moved', event_id: 3, queue: 'Other', at: 1 }], 'live | stale | c1/waiting 1,0,1 place 2 | [1c] whole @3 | moved>1'],
  ['ended, and reopened', [...begun, { type: 'ended', event_id: 3, by: 'agent', at: 1 }, { type: 'reopened', event_id: 4, at: 1 }], 'live | stale | c1/waiting 1,0,1 place 2 | [1c] whole @4 | ended>1 | reopened>1'],
  ['one of two agents leaves', [...begun, { type: 'left', event_id: 3, agent: { title: 'Eve' }, at: 1 }], 'live | stale | c1/waiting 1,0,1 place 2 | [1c] whole @3 | left>1'],
  ['answers have read what came before', [...begun, message(2, 'agent')], 'live | stale | c1/waiting 2,2,1 place 2 | [1c,2a] whole @3'],
  ['the workspace itself has read nothing', [...begun, message(2, 'system', { notice: 'reminder' })], 'live | stale | c1/waiting 2,0,1 place 2 | [1c,2s] whole @3'],
  ['an event twice', [...begun, message(2, 'agent'), message(2, 'agent'), { type: 'opened', event_id: 1, at: 1 }], 'live | stale | c1/waiting 2,2,1 place 2 | [1c,2a] whole @3'],
  ['read', [...begun, { type: 'read', number: 1 }, { type: 'read', number: 0 }], 'live | stale | c1/waiting 1,1,1 place 2 | [1c] whole @2'],
  ['typing', [...begun, { type: 'typing' }], 'live | stale | c1/waiting 1,0,1 place 2 | [1c] whole @2 | typing…6100'],
  ['an answer that grows', [...begun, { type: 'typing', text: 'so' }, { type: 'typing', text: 'so f' }], 'live | stale | c1/waiting 1,0,1 place 2 | [1c] whole @2 | typing…6100 | “so f”'],
  ['an answer that was taken back', [...begun, { type: 'typing', text: 'so' }, { type: 'typing', text: '' }], 'live | stale | c1/waiting 1,0,1 place 2 | [1c] whole @2'],
  ['an answer, until the message', [...begun, { type: 'typing', text: 'so' }, message(2, 'agent')], 'live | stale | c1/waiting 2,2,1 place 2 | [1c,2a] whole @3'],
  ['typing, until the message', [...begun, { type: 'typing' }, message(2, 'agent')], 'live | stale | c1/waiting 2,2,1 place 2 | [1c,2a] whole @3'],
  ['written, sent, heard', [...begun, { type: 'local.queued', entry: entry('m2') }, { type: 'local.sent', id: 'm2' }, message(2)], 'live | stale | c1/waiting 2,0,2 place 2 | [1c,2c] whole @3 | m2:sent=2'],
  ['written, sent, heard, answered', [...begun, { type: 'local.queued', entry: entry('m2') }, { type: 'local.sent', id: 'm2' }, message(2), { type: 'reply', id: 'm2', command: entry('m2').command, answer: { number: 2, at: 1 } }], 'live | stale | c1/waiting 2,0,2 place 2 | [1c,2c] whole @3'],
  ['answered first', [...begun, { type: 'local.queued', entry: entry('m2') }, { type: 'reply', id: 'm2', command: entry('m2').command, answer: { number: 2, at: 1 } }, message(2)], 'live | stale | c1/waiting 2,0,2 place 2 | [1c,2c] whole @3'],
  ['refused', [...begun, { type: 'local.queued', entry: entry('m2') }, { type: 'reply', id: 'm2', command: entry('m2').command, error: { code: 'wrong_state' } }], 'live | stale | c1/waiting 1,0,1 place 2 | [1c] whole @2 | m2:refused'],
  ['broken off', [...begun, { type: 'local.queued', entry: entry('m2') }, { type: 'local.sent', id: 'm2' }, { type: 'local.waits' }], 'live | stale | c1/waiting 1,0,1 place 2 | [1c] whole @2 | m2:waiting'],
  ['a page of before', [{ type: 'local.resumed', kept: { conversation: facts({ last_number: 9 }), messages: [message(9)], last_event: 10, begins: false } }, { type: 'local.page', messages: [message(7), message(8)], before: true }], 'idle | stale | c1/waiting 9,0,1 place 2 | [7c,8c,9c] @10'],
  ['the first page', [{ type: 'local.resumed', kept: { conversation: facts({ last_number: 2 }), messages: [message(2)], last_event: 3, begins: false } }, { type: 'local.page', messages: [message(1)], before: false }], 'idle | stale | c1/waiting 2,0,1 place 2 | [1c,2c] whole @3'],
  ['a younger journal', [...begun, { type: 'local.anew' }], 'live | stale | c1/waiting 1,0,1 place 2 | [] @0'],
  ['another conversation shows nothing of the last', [...begun, { ...start, answer: { conversation: facts({ conversation: 'c2', last_number: 0 }) }, command: { type: 'start', id: 's' } }], 'live | stale | c2/waiting 0,0,1 place 2 | [] @0'],
  ['forgotten', [...begun, { type: 'local.forgotten' }], 'live | stale | [] @0'],
  ['events of a later server are seen, and counted', [...begun, { type: 'confetti', event_id: 3 }, message(2, 'agent', { event_id: 4 }), { type: 'fog' }], 'live | stale | c1/waiting 2,2,1 place 2 | [1c,2a] whole @4 | ignored 2'],
  ['what has not its shape', [...begun, { type: 'message', event_id: 3 }, { type: 'state' }, { type: 'read' }, null, 7, { type: 'toString' }], 'live | stale | c1/waiting 1,0,1 place 2 | [1c] whole @3 | ignored 6'],
];

/** @param {any} value */
function frozen(value) {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(frozen);
  }
  return value;
}

for (const [name, frames, wanted] of CASES) {
  test(name, () => {
    let state = frozen(initial());
    for (const frame of frames) state = frozen(reduce(state, frozen(typeof frame === 'object' && frame ? { heard_at: 100, ...frame } : frame)));
    assert.equal(line(state), wanted);
  });
}

const after = (/** @type {any[]} */ ...frames) => frames.reduce((state, frame) => reduce(state, { heard_at: 100, ...frame }), initial());

test('every event of the document is known', () => {
  const text = readFileSync(new URL('../../../docs/wire.md', import.meta.url), 'utf8');
  const table = text.split('\n### The stream\n')[1]?.split('\n## ')[0]?.split('\n### ')[0] ?? '';
  const types = table.split('\n').flatMap((row) => /^\| `(\w+)` \|/.exec(row)?.[1] ?? []);
  assert.equal(types.length, 12);
  for (const type of types) assert.equal(after({ type, event_id: 1, at: 1, number: 1, score: 5, author: 'agent', text: '', state: 'waiting' }).ignored, 0, type);
});

test('what it was like, said here or in another tab, and when it ended', () => {
  const ended = [...begun, { type: 'ended', event_id: 3, by: 'agent', at: 7 }];
  const here = after(...ended, { type: 'reply', id: 'r', command: { type: 'rate', id: 'r', score: 4, comment: 'c' } });
  assert.deepEqual([here.conversation?.ended_at, here.conversation?.rating], [7, { score: 4, at: 7 }]);
  const there = after(...ended, { type: 'rated', score: 2, at: 9 });
  assert.deepEqual(there.conversation?.rating, { score: 2, at: 9 });
  const refused = after(...ended, { type: 'reply', id: 'r', command: { type: 'rate', id: 'r', score: 4 }, error: { code: 'rating_over' } });
  assert.equal(refused.conversation?.rating, undefined);
  assert.equal(after(...ended, { type: 'rated', event_id: undefined, score: 'x' }).ignored, 1);
});

test('gaps, what is shown, what is kept, and another clock', () => {
  assert.equal(missing(after(...begun, message(4, 'agent', { event_id: 5 }))), 1);
  assert.equal(missing(after(...begun, message(2))), undefined);
  const sent = after(...begun, { type: 'local.queued', entry: entry('m2') }, { type: 'local.sent', id: 'm2' });
  assert.deepEqual(shown(sent).pending.map(({ id }) => id), ['m2']);
  assert.deepEqual(shown(reduce(sent, { heard_at: 1, ...message(2) })).pending, []);
  const long = after(...begun, ...[2, 3, 4].map((number) => message(number)));
  assert.deepEqual([worthKeeping(long, 2).messages.map(({ number }) => number), worthKeeping(long, 2).begins, worthKeeping(long, 9).begins], [[3, 4], false, true]);
  const moved = shifted(after(...begun, { type: 'typing' }, { type: 'local.link', link: { phase: 'offline', retry_at: 7 } }), 1_000);
  assert.deepEqual([moved.typing_until, moved.link.retry_at], [7_100, 1_007]);
});

test('events that are cut anywhere are read the same, and what is cut off at the end is none', () => {
  const text = 'retry: 1000\n\n:\n\nid: 1\nevent: opened\ndata: {"at":1}\n\r\nid: 2\r\nevent: message\r\ndata: {"text":"héllo 🙂"}\r\n\r\ndata: a\ndata:b\n\nid: 3\nevent: mess';
  const bytes = new TextEncoder().encode(text);
  const wanted = [{ retry: '1000' }, { id: '1', event: 'opened', data: '{"at":1}' }, { id: '2', event: 'message', data: '{"text":"héllo 🙂"}' }, { data: 'a\nb' }];
  for (let at = 0; at <= bytes.length; at++) {
    const read = lines();
    assert.deepEqual([...read(bytes.slice(0, at)), ...read(bytes.slice(at))], wanted, `cut at ${at}`);
  }
  const read = lines();
  assert.deepEqual([...bytes].flatMap((byte) => read(Uint8Array.of(byte))), wanted);
});
