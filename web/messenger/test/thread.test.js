import assert from 'node:assert/strict';
import { test } from 'node:test';
import { initial } from '../../client/src/messenger/state.js';
import { rows } from '../src/thread.js';
import { speak } from '../src/words.js';

const { words } = speak(['en']);

/** What the rows show, as strings. @param {object} state */
function shows(state, typing = false) {
  const telling = { words, time: (/** @type {number} */ at) => `${at}`, again: () => {}, discard: () => {}, typing };
  return rows({ ...initial(), ...state }, telling).map(({ key, is }) => `${key}: ${is}`.replace(/[\u2068\u2069]/g, ''));
}

const said = (/** @type {number} */ number, /** @type {string} */ author, /** @type {string} */ text) => ({ number, author, text, at: number, ...(author === 'agent' && { agent: { title: 'Ada' } }) });
const conversation = { conversation: 'c1', state: 'active', last_number: 4, read_by_agent: 1, read_by_customer: 4 };

test('what happened stands between what was said, and a name before the first of several', () => {
  const happened = [{ event_id: 3, type: 'joined', after: 1, agent: { title: 'Ada' } }, { event_id: 9, type: 'ended', after: 4 }];
  const messages = [said(1, 'customer', 'a'), said(2, 'agent', 'b'), said(3, 'agent', 'c'), said(4, 'customer', 'd')];
  assert.deepEqual(shows({ conversation, messages, happened }), [
    '1: |1|a',
    'event 3: Ada has joined',
    '2: Ada|2|b',
    '3: |3|c',
    '4: |4 · Sent|d',
    'event 9: The conversation has ended',
  ]);
});

test('the last of ours is read when the agent has read it', () => {
  const messages = [said(1, 'customer', 'a'), said(2, 'customer', 'b')];
  assert.deepEqual(shows({ conversation: { ...conversation, read_by_agent: 2 }, messages }), ['1: |1|a', '2: |2 · Read|b']);
});

test('what happened before the first message that is known is left out', () => {
  const happened = [{ event_id: 3, type: 'joined', after: 1, agent: { title: 'Ada' } }];
  assert.deepEqual(shows({ conversation, messages: [said(9, 'agent', 'z')], happened }), ['9: Ada|9|z']);
});

test('an answer that grows is shown while somebody writes it, and gives way to the message', () => {
  const messages = [said(1, 'customer', 'a')];
  const drafting = { conversation: { ...conversation, agent: { title: 'Ada' } }, messages, draft: 'so f' };
  assert.deepEqual(shows(drafting), ['1: |1 · Read|a']);
  assert.deepEqual(shows(drafting, true), ['1: |1 · Read|a', 'draft: Ada|so f']);
  assert.deepEqual(shows({ ...drafting, draft: '' }, true), ['1: |1 · Read|a']);
});

test('what is not answered says how it stands, and why it was refused', () => {
  const entry = (/** @type {string} */ state, /** @type {object} */ error) => ({ id: state, command: { type: 'send', id: state, text: 't' }, at: 0, state, error });
  const under = (/** @type {string} */ state, error = {}) => shows({ pending: [entry(state, error)] })[0]?.replace(/^.*pending \w+\|/, '');
  assert.equal(under('sent'), 'Sending');
  assert.equal(under('waiting'), 'Not sent yet');
  assert.equal(under('refused', { code: 'queue_closed', opens_at: 5 }), 'Nobody is here until 5.');
  assert.equal(under('refused', { code: 'queue_closed', opens_at: null }), 'Nobody is here now. Please try again later.');
  assert.equal(under('refused', { code: 'too_large' }), 'This is too long.');
  assert.equal(under('refused', { code: 'wrong_state' }), 'This was not taken.');
});
