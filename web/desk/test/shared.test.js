import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isWriting, nameOf, signs } from '../src/shared/keys.js';
import { linkSaid } from '../src/shared/link.js';
import { settingsOf } from '../src/shared/settings.js';
import { ago, countdown, dayOf, span } from '../src/shared/time.js';
import { goneSaid, labelName, refusal, title } from '../src/console/words.js';
import { found } from '../src/console/directory.js';

/** @param {object} event */
const key = (event) => /** @type {any} */ ({ key: '', code: '', altKey: false, ctrlKey: false, metaKey: false, shiftKey: false, ...event });

test('keys are called alike on every keyboard', () => {
  assert.equal(nameOf(key({ key: 'j', code: 'KeyJ' })), 'j');
  assert.equal(nameOf(key({ key: '?', code: 'Slash', shiftKey: true })), '?');
  assert.equal(nameOf(key({ key: 'å', code: 'KeyA', altKey: true }), true), 'Alt+a');
  assert.equal(nameOf(key({ key: 'a', code: 'KeyQ', altKey: true }), false), 'Alt+a');
  assert.equal(nameOf(key({ key: 'ф', code: 'KeyA', altKey: true }), false), 'Alt+a');
  assert.equal(nameOf(key({ key: 'Enter', code: 'Enter', ctrlKey: true }), false), 'Mod+Enter');
  assert.equal(nameOf(key({ key: 'Enter', code: 'Enter', metaKey: true }), true), 'Mod+Enter');
  assert.equal(nameOf(key({ key: 'ArrowDown', altKey: true }), false), 'Alt+ArrowDown');
  assert.deepEqual(signs('Alt+a', false), ['Alt', 'A']);
  assert.deepEqual(signs('g i', true), ['G', 'I']);
});

test('whoever is in a field writes, and whoever is on a button does not', () => {
  assert.equal(isWriting(/** @type {any} */ ({ tagName: 'TEXTAREA' })), true);
  assert.equal(isWriting(/** @type {any} */ ({ tagName: 'INPUT', type: 'search' })), true);
  assert.equal(isWriting(/** @type {any} */ ({ tagName: 'INPUT', type: 'checkbox' })), false);
  assert.equal(isWriting(/** @type {any} */ ({ tagName: 'BUTTON' })), false);
  assert.equal(isWriting(null), false);
});

test('of the connection nothing is said while it is there or is back at once', () => {
  const settings = /** @type {any} */ ({});
  assert.equal(linkSaid({ link: { phase: 'live' }, settings }, 5_000, undefined), undefined);
  assert.equal(linkSaid({ link: { phase: 'waiting', retry_at: 6_000 }, settings }, 5_000, 4_500), undefined);
  assert.match(linkSaid({ link: { phase: 'waiting', retry_at: 9_000 }, settings }, 5_000, 1_000)?.text ?? '', /lost.*in 4 s.*kept/);
  assert.match(linkSaid({ link: { phase: 'connecting' } }, 5_000, 1_000)?.text ?? '', /No connection yet/);
  assert.deepEqual(linkSaid({ link: { phase: 'stopped', why: 'too_many_devices' }, settings }, 0, 0)?.deed, 'again');
  assert.deepEqual(linkSaid({ link: { phase: 'stopped', why: 'token_expired' }, settings }, 0, 0)?.deed, 'sign_in');
  assert.equal(linkSaid({ link: { phase: 'stopped', why: 'constructor' }, settings }, 0, 0)?.tone, 'bad');
});

test('times are said in few words', () => {
  assert.deepEqual([span(45_000), span(240_000), span(7_300_000), span(3 * 86_400_000)], ['45 s', '4 min', '2 h', '3 days']);
  assert.deepEqual([countdown(26_100), countdown(0), countdown(3_723_000)], ['0:27', '0:00', '1:02:03']);
  assert.deepEqual([ago(5_000), ago(300_000), ago(3 * 3_600_000), ago(50 * 3_600_000)], ['now', '5m', '3h', '2d']);
  const now = Date.UTC(2026, 10, 26, 12);
  assert.deepEqual([dayOf(now, now), dayOf(now - 86_400_000, now)], ['Today', 'Yesterday']);
});

test('settings that make no sense are those of the beginning', () => {
  const settings = settingsOf({ theme: 'dark', volume: 900, sound: 'yes', letters: false });
  assert.deepEqual(settings, { theme: 'dark', volume: 60, sound: true, notifications: true, letters: false });
  assert.deepEqual(settingsOf(null), settingsOf('x'));
});

test('refusals are sentences, also those of a later server', () => {
  assert.equal(refusal({ error: { code: 'offer_gone', message: 'x', end: 'rescinded' } }), 'Another agent took it first.');
  assert.equal(refusal({ code: 'label_missing', message: 'x', field: 'fields.order_number' }), 'Order number is missing.');
  assert.equal(refusal({ code: 'of_tomorrow', message: 'Says the server.' }), 'Says the server.');
  assert.equal(refusal({ code: 'constructor', message: 'm' }), 'm');
  assert.equal(refusal(new Error('x')), 'That did not work.');
  assert.deepEqual([title('not_mine'), labelName('disposition')], ['Not mine', 'Disposition']);
  assert.match(goneSaid('Zoë', { cause: 'closed', by: 'customer' }) ?? '', /Zoë has ended/);
  assert.equal(goneSaid('Zoë', { cause: 'closed', by: 'agent' }), undefined);
});

test('of colleagues those come first who may take something, and never oneself', () => {
  const agent = (/** @type {string} */ name, available = false) => ({ agent: name, title: `${name} Smith`, available, connection: 'online' });
  const rows = found([agent('ada'), agent('bob'), agent('cy', true)], [{ queue: 'sales', title: 'Sales smith', picking: false }], 'smith', 'ada');
  assert.deepEqual(rows.map((row) => (row.kind === 'agent' ? row.agent : row.queue)), ['cy', 'bob', 'sales']);
  assert.equal(found([agent('bob')], [], 'nobody', undefined).length, 0);
});
