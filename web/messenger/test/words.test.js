import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LANGUAGES, fill, speak } from '../src/words.js';

test('every language says everything, with the same places to fill in', () => {
  const english = LANGUAGES.en ?? [];
  assert.deepEqual(Object.keys(LANGUAGES), ['en', 'de', 'es', 'ar']);
  for (const [language, said] of Object.entries(LANGUAGES)) {
    assert.equal(said.length, english.length, language);
    for (const [at, text] of said.entries()) {
      const places = (/** @type {string} */ text) => [...text.matchAll(/\{\d\}/g)].map(String).sort();
      assert.deepEqual(places(text), places(english[at] ?? ''), `${language}: ${text}`);
      assert.ok(text.trim(), `${language}: ${english[at]}`);
      assert.ok(language === 'en' || at === 0 || text !== said[at - 1], `${language}: ${text} twice`);
    }
  }
});

test('the first language that is known is spoken, and its direction is right', () => {
  const spoken = (/** @type {string[]} */ ...wanted) => {
    const { language, dir, words } = speak(wanted);
    return [language, dir, words.close];
  };
  assert.deepEqual(spoken('', 'fr-CA', 'de-AT', 'en'), ['de-AT', 'ltr', 'Schließen']);
  assert.deepEqual(spoken('AR-eg'), ['AR-eg', 'rtl', 'إغلاق']);
  assert.deepEqual(spoken('de-!', 'de-123456789', 'es'), ['es', 'ltr', 'Cerrar']);
  assert.deepEqual(spoken('toString', '__proto__'), ['en', 'ltr', 'Close']);
});

test('a name that turns text around is shut in', () => {
  assert.equal(fill('with {0}', '\u202eeve'), 'with \u2068\u202eeve\u2069');
  assert.equal(fill('{0}, {1}', 1, '{0}'), '\u20681\u2069, \u2068{0}\u2069');
});
