import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cannedFault, cannedOf, filled, suggested } from '../src/console/store.js';
import { missingLabels, valueOf, withTag } from '../src/console/labels.js';
import { parts } from '../src/console/linked.js';

test('saved replies out of a file are those that make sense, each name once', () => {
  const { replies, dropped } = cannedOf({ replies: [{ name: 'b', text: 'two' }, { name: 'a', text: 'one' }, { name: 'a', text: 'last' }, { name: 'no spaces', text: 'x' }, { name: 'x' }, 7] });
  assert.deepEqual(replies, [{ name: 'a', text: 'last' }, { name: 'b', text: 'two' }]);
  assert.equal(dropped, 4);
  assert.deepEqual(cannedOf('nothing of the kind').replies, []);
  assert.ok(cannedFault({ name: 'ok', text: '  ' }) && cannedFault({ name: '', text: 'x' }) && !cannedFault({ name: 'grüße-2', text: 'x' }));
});

test('a slash and letters at the very beginning ask for saved replies', () => {
  const replies = [{ name: 'hello', text: 'Hi' }, { name: 'refund', text: 'We say hello to your money' }, { name: 'shell', text: 'x' }];
  assert.deepEqual(suggested(replies, '/hell')?.map(({ name }) => name), ['hello', 'shell', 'refund']);
  assert.deepEqual(suggested(replies, '/')?.length, 3);
  assert.equal(suggested(replies, 'and/or'), undefined);
  assert.equal(suggested(replies, '/two words'), undefined);
});

test('a saved reply is filled with names, and nothing else is touched', () => {
  assert.equal(filled('Hi {name}, {agent} here. {other} {constructor}', { name: 'Zoë', agent: 'Ada' }), 'Hi Zoë, Ada here. {other} {constructor}');
});

test('what a queue must have is missing until it is said', () => {
  const rules = { dispositions: ['solved'], disposition_required: true, tags: null, fields: [{ name: 'order', type: 'text', required: true }, { name: 'more', type: 'text' }, { name: 'ok', type: 'boolean', required: true }] };
  assert.deepEqual(missingLabels(rules, undefined), ['disposition', 'fields.order', 'fields.ok']);
  assert.deepEqual(missingLabels(rules, { disposition: 'solved', fields: { order: '7', ok: false } }), []);
  assert.deepEqual(missingLabels({ ...rules, dispositions: [], fields: [] }, {}), []);
});

test('what is typed becomes a value of its type', () => {
  assert.equal(valueOf({ type: 'number' }, ' 7,5 '), 7.5);
  assert.equal(valueOf({ type: 'number' }, 'seven'), undefined);
  assert.equal(valueOf({ type: 'boolean' }, 'false'), false);
  assert.equal(valueOf({ type: 'text' }, '  '), null);
});

test('a tag is added once, and only one that may be', () => {
  assert.deepEqual(withTag(['a'], ' b ', null), { tags: ['a', 'b'], fault: '' });
  assert.equal(withTag(['a'], 'a', null).tags.length, 1);
  assert.match(withTag([], 'x', ['vip']).fault, /no tag/);
  assert.match(withTag([], 'é'.repeat(40), null).fault, /64 bytes/);
  assert.match(withTag(Array.from({ length: 20 }, (_, n) => String(n)), 'more', null).fault, /20/);
});

test('addresses become links and all else stays text', () => {
  assert.deepEqual(parts('see https://a.example/x?y=1. Bye'), [{ text: 'see ', address: false }, { text: 'https://a.example/x?y=1', address: true }, { text: '. Bye', address: false }]);
  // No other scheme, and nothing that turns the direction of an address round.
  assert.ok(parts('javascript:alert(1) data:text/html,x').every(({ address }) => !address));
  assert.deepEqual(parts('https://good.example/\u202emoc.live').filter(({ address }) => address).map(({ text }) => text), ['https://good.example/']);
  for (const text of ['', 'plain', 'http://', '<a href="https://x.example">']) assert.equal(parts(text).map((part) => part.text).join(''), text);
});
