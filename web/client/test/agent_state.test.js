// An agent's state as a table: frames in, one line out.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { FRAME_TYPES } from '../src/agent/frames.js';
import { initial, left, missing, reduce, shifted, shown } from '../src/agent/state.js';
import { welcome } from './support.js';

/** @typedef {import('../src/agent/state.js').AgentState} AgentState */

const conversation = (/** @type {string} */ id, more = {}) => ({
  conversation: id, state: 'active', channel: 'chat', queue: 'support', priority: 0, skills: [], customer: 'x', known: false, name: null,
  metadata: {}, opened_at: 1, waiting_since: 1, last_number: 1, read_by_agent: 0, read_by_customer: 1, owner: 'ada', wrap_up_left_ms: 0, ...more,
});
const offer = (/** @type {string} */ id, /** @type {string} */ of, more = {}) => ({
  offer: id, conversation: conversation(of, { state: 'offered', owner: null }), left_ms: 30_000, delivered: false, deliver_left_ms: 5_000, ...more,
});
const message = (/** @type {string} */ of, /** @type {number} */ number, author = {}, more = {}) => ({
  type: 'message', position: 11, conversation: of, number, author: { customer: 'x', ...author }, text: `m${number}`, at: 1, ...more,
});
const ours = { agent: 'ada', customer: undefined };
const entry = (/** @type {string} */ id, /** @type {string} */ text) => ({ id, command: { type: 'send', id, conversation: 'c1', text }, at: 1, state: 'waiting' });

/** What a state is about, in a line. @param {AgentState} state */
function line(state) {
  const parts = [state.link.phase, state.status ?? '-'];
  if (state.stale) parts.push('stale');
  if (!state.complete) parts.push('incomplete');
  if (state.next_status) parts.push(`then ${state.next_status}`);
  if (state.draining) parts.push('draining');
  for (const one of Object.values(state.offers)) {
    const auto = one.auto_accept_at === undefined ? '' : ` auto@${one.auto_accept_at}`;
    parts.push(`${one.offer}:${one.conversation.conversation}${one.delivered ? '+' : ''}@${one.ends_at}${auto}${one.untold ? '?' : ''}`);
  }
  for (const one of Object.values(state.conversations)) {
    const more = [];
    for (const name of /** @type {const} */ (['joined', 'transfer_to', 'paused_weight_percent', 'wrap_up_ends_at', 'reminded', 'untold'])) {
      if (one[name] !== undefined) more.push(`${name}=${one[name]}`);
    }
    if (one.clocks) more.push(`clocks=${one.clocks.map(({ clock, state }) => `${clock}/${state}`)}`);
    if (one.labels) more.push(`labels=${one.labels.disposition}`);
    if (one.name) more.push(`name=${one.name}`);
    if (one.rating) more.push(`rating=${one.rating.score}`);
    parts.push(`${one.conversation}/${one.state} ${one.last_number},${one.read_by_agent},${one.read_by_customer}${more.map((word) => ` ${word}`).join('')}`);
  }
  for (const [id, thread] of Object.entries(state.threads)) {
    const carried = thread.messages.filter(({ delivery }) => delivery).map(({ number, delivery }) => ` ${number}:${delivery?.state}${delivery?.reason ? `(${delivery.reason})` : ''}`);
    const typing = Object.entries(thread.typing).map(([who, at]) => ` ${who || 'customer'}…${at}`);
    const notes = thread.notes.map(({ note, text }) => ` note${note}=${text}`);
    parts.push(`${id}=[${thread.messages.map(({ number }) => number)}]${thread.begins ? ' whole' : ''}${notes.join('')}${carried.join('')}${typing.join('')}`);
  }
  for (const { id, state: how, seen } of state.pending) parts.push(`${id}:${how}${seen === undefined ? '' : `=${seen}`}`);
  for (const [what, { rows, paused, names, matching }] of Object.entries(state.watched)) parts.push(`${what}{${Object.keys(rows).sort()}}${paused ? ' paused' : ''}${names ? ` ${names} of ${matching}` : ''}`);
  if (state.ignored) parts.push(`ignored ${state.ignored}`);
  return parts.join(' | ');
}

/** Nobody changes what another may look at. @param {any} value */
function frozen(value) {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(frozen);
  }
  return value;
}

const live = { type: 'local.link', link: { phase: 'live' } };
const lost = { type: 'local.link', link: { phase: 'waiting', retry_at: 5 } };
const hello = (snapshot = {}, more = {}) => [welcome({ snapshot, ...more }), live];
const with1 = hello({ conversations: [conversation('c1')] });

/** what happens; frames; the line at the end. @type {[string, any[], string][]} */
const CASES = [
  ['nothing', [], 'idle | - | stale | incomplete'],
  ['a welcome', hello({ offers: [offer('o1', 'c1')], next_status: 'away', draining: true }), 'live | away | then away | draining | o1:c1@30100'],
  ['a drop', [...hello(), lost], 'waiting | away | stale'],
  ['a status', [...hello(), { type: 'status', position: 11, status: 'available', available: true, channels: [], connection: 'online' }], 'live | available'],
  ['a status that the snapshot has', [...hello(), { type: 'status', position: 10, status: 'x', available: true, channels: [], connection: 'online' }], 'live | away'],
  ['next status, and none', [...hello(), { type: 'next_status', position: 11, status: 'away' }, { type: 'next_status', position: 12, status: null }], 'live | away'],
  ['draining', [...hello(), { type: 'draining', position: 11, draining: true }], 'live | away | draining'],
  ['an offer, shown, accepted by itself', [...hello(), { type: 'offer', position: 11, offer: offer('o1', 'c1') }, { type: 'offer_delivered', position: 12, offer: 'o1', auto_accept_left_ms: 900 }], 'live | away | o1:c1+@30100 auto@1000'],
  ['an offer that ends', [...hello({ offers: [offer('o1', 'c1')] }), { type: 'offer_ended', position: 11, offer: 'o1', conversation: 'c1', end: 'expired' }], 'live | away'],
  ['an offer twice', [...hello(), { type: 'offer', position: 11, offer: offer('o1', 'c1') }, { type: 'offer', position: 11, offer: offer('o1', 'c1') }], 'live | away | o1:c1@30100'],
  ['accepted', [...hello(), { type: 'conversation', position: 11, conversation: conversation('c1'), cause: 'accepted' }], 'live | away | c1/active 1,0,1'],
  ['gone, with what was said', [...with1, message('c1', 2), { type: 'conversation_gone', position: 12, conversation: 'c1', cause: 'closed' }], 'live | away'],
  ['wrap-up that time ends', [...with1, { type: 'conversation_ended', position: 11, by: 'agent', conversation: conversation('c1', { state: 'wrap_up', wrap_up_left_ms: 500, wrap_up: { ends: 'timed', blocks: 'slot', extensions_left: 1 } }) }], 'live | away | c1/wrap_up 1,0,1 wrap_up_ends_at=600'],
  ['wrap-up that is extended', [...with1, { type: 'wrap_up', position: 11, conversation: 'c1', left_ms: 900, wrap_up: { ends: 'timed', blocks: 'slot', extensions_left: 0 } }], 'live | away | c1/active 1,0,1 wrap_up_ends_at=1000'],
  ['wrap-up that only its agent ends', [...with1, { type: 'wrap_up', position: 11, conversation: 'c1', left_ms: 0, wrap_up: { ends: 'when_done', blocks: 'slot', extensions_left: 0 } }], 'live | away | c1/active 1,0,1'],
  ['messages', [...with1, message('c1', 2), message('c1', 3, ours)], 'live | away | c1/active 3,3,2 | c1=[2,3]'],
  ['a message twice', [...with1, message('c1', 2), message('c1', 2)], 'live | away | c1/active 2,0,2 | c1=[2]'],
  ['messages out of order', [...with1, message('c1', 3), message('c1', 2)], 'live | away | c1/active 3,0,3 | c1=[2,3]'],
  ['a message of the workspace itself', [...with1, message('c1', 2, { customer: undefined, system: 'reminder' })], 'live | away | c1/active 2,0,1 | c1=[2]'],
  ['a message of a conversation that no page has told', [...hello(), message('c9', 7)], 'live | away | c9=[7]'],
  ['read', [...with1, { type: 'read', position: 11, conversation: 'c1', reader: 'customer', number: 4 }, { type: 'read', position: 12, conversation: 'c1', reader: 'agent', number: 3 }, { type: 'read', position: 13, conversation: 'c1', reader: 'agent', number: 2 }], 'live | away | c1/active 1,3,4'],
  ['what became of a message', [...with1, { ...message('c1', 2), delivery: { state: 'pending' } }, { type: 'delivery', position: 99, conversation: 'c1', number: 2, state: 'failed', reason: 'no such number' }], 'live | away | c1/active 2,0,2 | c1=[2] 2:failed(no such number)'],
  ['typing, until a message', [...with1, { type: 'typing', conversation: 'c1' }, { type: 'typing', conversation: 'c1', agent: 'eve' }, message('c1', 2)], 'live | away | c1/active 2,0,2 | c1=[2] eve…6100'],
  ['a transfer, taken', [...with1, { type: 'transfer', position: 11, conversation: 'c1', offer: 'o2', agent: 'eve', warm: true }, { type: 'transfer_ended', position: 12, conversation: 'c1', offer: 'o2', agent: 'eve', end: 'accepted' }], 'live | away | c1/active 1,0,1 joined=eve'],
  ['a transfer under way', [...with1, { type: 'transfer', position: 11, conversation: 'c1', offer: 'o2', agent: 'eve', warm: false }], 'live | away | c1/active 1,0,1 transfer_to=eve'],
  ['a transfer that expires', [...with1, { type: 'transfer', position: 11, conversation: 'c1', offer: 'o2', agent: 'eve', warm: false }, { type: 'transfer_ended', position: 12, conversation: 'c1', offer: 'o2', agent: 'eve', end: 'expired' }], 'live | away | c1/active 1,0,1'],
  ['who had joined leaves', [...hello({ conversations: [conversation('c1', { joined: 'eve' })] }), { type: 'left', position: 11, conversation: 'c1', agent: 'eve' }], 'live | away | c1/active 1,0,1'],
  ['paused, and awake', [...with1, { type: 'paused', position: 11, conversation: 'c1', paused: true, weight_percent: 50 }], 'live | away | c1/active 1,0,1 paused_weight_percent=50'],
  ['awake', [...hello({ conversations: [conversation('c1', { paused_weight_percent: 50 })] }), { type: 'paused', position: 11, conversation: 'c1', paused: false, weight_percent: 100 }], 'live | away | c1/active 1,0,1'],
  ['clocks', [...with1, { type: 'clock', position: 11, conversation: 'c1', clock: 'first_reply', state: 'pending', late: false, due: 9 }, { type: 'clock', position: 12, conversation: 'c1', clock: 'resolution', state: 'breached', late: true }], 'live | away | c1/active 1,0,1 clocks=first_reply/pending,resolution/breached'],
  ['a clock that is done', [...hello({ conversations: [conversation('c1', { clocks: [{ clock: 'accept', state: 'pending', since: 1, due: 2 }] })] }), { type: 'clock', position: 11, conversation: 'c1', clock: 'accept', state: 'achieved', late: false }], 'live | away | c1/active 1,0,1'],
  ['labels', [...with1, { type: 'labelled', position: 11, conversation: 'c1', labels: { disposition: 'solved' } }], 'live | away | c1/active 1,0,1 labels=solved'],
  ['described anew', [...with1, { type: 'described', position: 11, conversation: 'c1', name: 'Zoë', metadata: {} }], 'live | away | c1/active 1,0,1 name=Zoë'],
  ['rated while it is wrapped up', [...with1, { type: 'rated', position: 11, conversation: 'c1', score: 4, comment: 'c' }], 'live | away | c1/active 1,0,1 rating=4'],
  ['a reminder, until a word', [...with1, { type: 'reminder', position: 11, conversation: 'c1' }], 'live | away | c1/active 1,0,1 reminded=true'],
  ['a word after a reminder', [...with1, { type: 'reminder', position: 11, conversation: 'c1' }, message('c1', 2, ours)], 'live | away | c1/active 2,2,1 | c1=[2]'],
  ['a note', [...with1, { type: 'note', position: 11, conversation: 'c1', note: 1, author: 'ada', after: 1, text: 'n', at: 1 }], 'live | away | c1/active 1,0,1 | c1=[] note1=n'],
  ['rows', [...hello(), { type: 'queues', position: 11, rows: [{ queue: 'a' }, { queue: 'b' }] }, { type: 'watching', position: 11, what: 'queues', paused: true }], 'live | away | queues{a,b} paused'],
  ['who is on a sheet', [...hello(), { type: 'reply', id: 'x', ok: true, rows: [{ agent: 'bob' }, { agent: 'ada' }], matching: 9, totals: [], command: { type: 'watch', what: 'agents', order: 'load' } }, { type: 'agents', position: 11, rows: [{ agent: 'eve' }], names: ['eve', 'ada'], matching: 8 }], 'live | away | agents{ada,eve} eve,ada of 8'],
  ['a page behind a sheet', [...hello(), { type: 'reply', id: 'x', ok: true, rows: [{ agent: 'bob' }], matching: 1, command: { type: 'watch', what: 'agents', order: 'name' } }, { type: 'reply', id: 'y', ok: true, rows: [{ agent: 'ada' }], command: { type: 'watch', what: 'agents' } }], 'live | away | agents{ada}'],
  ['rows of a page', [...hello(), { type: 'reply', id: 'x', ok: true, rows: [{ agent: 'ada' }], command: { type: 'watch', what: 'agents' } }, { type: 'reply', id: 'y', ok: true, command: { type: 'unwatch', what: 'queues' } }], 'live | away | agents{ada}'],
  ['no rows after a new connection', [...hello(), { type: 'queues', position: 11, rows: [{ queue: 'a' }] }, welcome()], 'live | away'],
  ['a patch of what is not held', [...hello(), { type: 'reminder', position: 11, conversation: 'c9' }, { type: 'offer_ended', position: 11, offer: 'o9', conversation: 'c9', end: 'expired' }], 'live | away'],
  // Snapshots.
  ['a snapshot makes deltas up to it void', [...hello(), { type: 'snapshot', position: 20, snapshot: { ...welcome().snapshot, status: 'lunch' } }, { type: 'offer', position: 20, offer: offer('o1', 'c1') }], 'live | lunch'],
  ['and those behind it count', [...hello(), { type: 'snapshot', position: 20, snapshot: welcome().snapshot }, { type: 'offer', position: 21, offer: offer('o1', 'c1') }], 'live | away | o1:c1@30100'],
  ['a snapshot forgets what it does not tell', [...with1, message('c1', 2), { type: 'snapshot', position: 20, snapshot: welcome().snapshot }], 'live | away'],
  ['what was said stays while it is held', [...with1, message('c1', 2), welcome({ position: 20, snapshot: { conversations: [conversation('c1', { last_number: 2 })] } })], 'live | away | c1/active 2,0,1 | c1=[2]'],
  ['a younger journal of another server', [...with1, welcome({ position: 3 }), { type: 'offer', position: 4, offer: offer('o1', 'c1') }], 'live | away | o1:c1@30100'],
  ['a first page keeps what was there, marked', [...with1, message('c1', 2), welcome({ position: 20, snapshot: { cursor: 'k', conversations: [conversation('c2')] } })], 'live | away | incomplete | c1/active 2,0,2 untold=true | c2/active 1,0,1 | c1=[2]'],
  ['the last page drops what was not told', [...with1, message('c1', 2), welcome({ position: 20, snapshot: { cursor: 'k' } }), { type: 'reply', id: 'p', position: 22, ok: true, offers: [], conversations: [conversation('c3')], command: { type: 'own' } }], 'live | away | c3/active 1,0,1'],
  ['a delta that is newer than the page stays', [...hello({ cursor: 'k' }), { type: 'conversation', position: 30, conversation: conversation('c1', { last_number: 9 }) }, { type: 'reply', id: 'p', position: 22, ok: true, conversations: [conversation('c1')], command: { type: 'own' } }], 'live | away | c1/active 9,0,1'],
  ['a delta that the page has is void for it', [...hello({ cursor: 'k' }), { type: 'reply', id: 'p', position: 22, ok: true, conversations: [conversation('c1')], command: { type: 'own' } }, { type: 'reminder', position: 21, conversation: 'c1' }], 'live | away | c1/active 1,0,1'],
  // What was written.
  ['written, sent, heard, answered', [...with1, { type: 'local.queued', entry: entry('a', 'm2') }, { type: 'local.sent', id: 'a' }, message('c1', 2, ours)], 'live | away | c1/active 2,2,1 | c1=[2] | a:sent=2'],
  ['answered', [...with1, { type: 'local.queued', entry: entry('a', 'm2') }, { type: 'local.sent', id: 'a' }, message('c1', 2, ours), { type: 'reply', id: 'a', position: 11, ok: true, number: 2, at: 1, command: entry('a', 'm2').command }], 'live | away | c1/active 2,2,1 | c1=[2]'],
  ['answered where the delta was dropped', [...with1, { type: 'local.queued', entry: entry('a', 'm2') }, { type: 'reply', id: 'a', position: 11, ok: true, number: 2, at: 1, command: entry('a', 'm2').command }], 'live | away | c1/active 2,0,1 | c1=[2]'],
  ['it was another device that wrote the same', [...with1, { type: 'local.queued', entry: entry('a', 'm2') }, { type: 'local.sent', id: 'a' }, message('c1', 2, ours), { type: 'reply', id: 'a', position: 12, ok: true, number: 3, at: 1, command: entry('a', 'm2').command }], 'live | away | c1/active 3,2,1 | c1=[2,3]'],
  ['refused', [...with1, { type: 'local.queued', entry: entry('a', 'm2') }, { type: 'local.sent', id: 'a' }, { type: 'reply', id: 'a', error: { code: 'not_yours', message: '' }, command: entry('a', 'm2').command }], 'live | away | c1/active 1,0,1 | a:refused'],
  ['a drop before the answer', [...with1, { type: 'local.queued', entry: entry('a', 'm2') }, { type: 'local.sent', id: 'a' }, lost], 'waiting | away | stale | c1/active 1,0,1 | a:waiting'],
  ['discarded', [...with1, { type: 'local.queued', entry: entry('a', 'm2') }, { type: 'local.discarded', id: 'a' }], 'live | away | c1/active 1,0,1'],
  // History.
  ['a page of history', [...with1, message('c1', 4), { type: 'reply', id: 'h', position: 11, ok: true, messages: [message('c1', 2), message('c1', 3)], more: true, command: { type: 'history', conversation: 'c1' } }], 'live | away | c1/active 4,0,4 | c1=[2,3,4]'],
  ['its first page', [...with1, { type: 'reply', id: 'h', position: 11, ok: true, messages: [message('c1', 1)], more: false, command: { type: 'history', conversation: 'c1' } }], 'live | away | c1/active 1,0,1 | c1=[1] whole'],
  ['a page of notes', [...with1, { type: 'reply', id: 'h', position: 11, ok: true, notes: [{ note: 2, text: 'b' }, { note: 1, text: 'a' }], command: { type: 'notes', conversation: 'c1' } }], 'live | away | c1/active 1,0,1 | c1=[] note1=a note2=b'],
  // What is not understood.
  ['frames of a later server', [...hello(), { type: 'confetti', position: 50 }, { type: 'status', position: 11, status: 'available', available: true, channels: [], connection: 'online', hat: 'red' }], 'live | available | ignored 1'],
  ['no frames at all', [...hello(), null, 7, 'x', [], {}, { type: 7 }, { type: 'constructor' }, { type: 'toString', position: 11 }], 'live | away | ignored 8'],
  ['frames without what they should have', [...hello(), { type: 'offer', position: 11 }, { type: 'offer', position: 11, offer: { offer: 'o1' } }, { type: 'message', position: 11, conversation: 'c1' }, { type: 'welcome' }, { type: 'snapshot', position: 12, snapshot: { offers: [{}] } }], 'live | away | ignored 5'],
];

for (const [name, frames, wanted] of CASES) {
  test(name, () => {
    let state = frozen(initial());
    for (const frame of frames) {
      const heard = typeof frame === 'object' && frame !== null && !Array.isArray(frame) ? { heard_at: 100, ...frame } : frame;
      state = frozen(reduce(state, frozen(heard)));
    }
    assert.equal(line(state), wanted);
  });
}

const after = (/** @type {any[]} */ ...frames) => frames.reduce((state, frame) => reduce(state, { heard_at: 100, ...frame }), initial());

test('every frame of the document is known', () => {
  const text = readFileSync(new URL('../../../docs/wire.md', import.meta.url), 'utf8');
  const table = text.split('\nDeltas, each with `position`:\n')[1]?.split('\n\n### From the client')[0] ?? '';
  const types = table.split('\n').flatMap((row) => [...(row.split('|')[1]?.matchAll(/`(\w+)`/g) ?? [])].map((found) => found[1]));
  assert.ok(types.length > 20);
  assert.deepEqual(types.filter((type) => !FRAME_TYPES.includes(/** @type {string} */ (type))), []);
});

test('gaps are known where something is', () => {
  assert.equal(missing(after(...with1), 'c1'), undefined);
  assert.equal(missing(after(...with1, message('c1', 2)), 'c1'), undefined);
  assert.equal(missing(after(...with1, message('c1', 2), message('c1', 5)), 'c1'), 2);
  assert.equal(missing(after(...with1, message('c1', 2), welcome({ snapshot: { conversations: [conversation('c1', { last_number: 3 })] } })), 'c1'), 2);
});

test('what is shown is each text once', () => {
  const sent = after(...with1, { type: 'local.queued', entry: entry('a', 'm2') }, { type: 'local.queued', entry: entry('b', 'm2') }, { type: 'local.sent', id: 'a' });
  assert.deepEqual(shown(sent, 'c1').pending.map(({ id }) => id), ['a', 'b']);
  const heard = reduce(sent, { heard_at: 1, ...message('c1', 2, ours) });
  assert.deepEqual([shown(heard, 'c1').messages.length, shown(heard, 'c1').pending.map(({ id }) => id)], [1, ['b']]);
});

test('another tab shows the same time left', () => {
  const state = after(...hello({ offers: [offer('o1', 'c1', { auto_accept_left_ms: 70 })] }), { type: 'typing', conversation: 'c1' }, lost);
  const there = shifted(state, 1_000);
  assert.deepEqual([there.offers.o1?.ends_at, there.offers.o1?.deliver_by, there.offers.o1?.auto_accept_at], [31_100, 6_100, 1_170]);
  assert.deepEqual([there.threads.c1?.typing[''], there.link.retry_at], [7_100, 1_005]);
  assert.deepEqual([left(there.offers.o1?.ends_at, 31_000), left(5, 6), left(undefined, 6)], [100, 0, 0]);
  assert.deepEqual(shifted(there, -1_000), state);
});
