import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { MORE } from '../src/later.js';
import { LANGUAGES, fill, speak, withWords } from '../src/words.js';

const english = Object.entries({ ...speak(['en']).words, ...MORE });
const files = new URL('../words/', import.meta.url);
/** @param {string} language @returns {Record<string, string>} */
const saidIn = (language) => JSON.parse(readFileSync(new URL(`${language}.json`, files), 'utf8'));

test('every language says everything, with the same places to fill in', () => {
  assert.deepEqual(readdirSync(files).map((name) => name.replace('.json', '')).sort(), LANGUAGES.filter((one) => one !== 'en').sort());
  for (const language of LANGUAGES.slice(1)) {
    const said = saidIn(language);
    assert.deepEqual(Object.keys(said).sort(), english.map(([key]) => key).sort(), language);
    for (const [key, text] of english) {
      const places = (/** @type {string} */ text) => [...text.matchAll(/\{\d\}/g)].map(String).sort();
      assert.deepEqual(places(said[key] ?? ''), places(text), `${language}: ${key}`);
      assert.ok(said[key]?.trim(), `${language}: ${key}`);
    }
    assert.equal(new Set(Object.values(said)).size, english.length, `${language}: twice the same`);
  }
});

test('the first language that is known and may be spoken is, and its direction is right', () => {
  const spoken = (/** @type {string[]} */ wanted, /** @type {string[]} */ only = []) => {
    const { language, base, dir } = speak(wanted, only);
    return [language, base, dir];
  };
  assert.deepEqual(spoken(['', 'fr-CA', 'de-AT', 'en']), ['de-AT', 'de', 'ltr']);
  assert.deepEqual(spoken(['AR-eg']), ['AR-eg', 'ar', 'rtl']);
  assert.deepEqual(spoken(['de-!', 'de-123456789', 'es']), ['es', 'es', 'ltr']);
  assert.deepEqual(spoken(['toString', '__proto__']), ['en', 'en', 'ltr']);
  assert.deepEqual(spoken(['de-AT', 'es'], ['es', 'ar']), ['es', 'es', 'ltr']);
  assert.deepEqual(spoken(['de'], ['xx', 'ar']), ['ar', 'ar', 'rtl']);
});

test('words are fetched for one language, and where they cannot be had, all is in English', async () => {
  const before = globalThis.fetch;
  /** @type {string[]} */
  const asked = [];
  /** @type {unknown} */
  let answer = saidIn('de');
  globalThis.fetch = async (url) => {
    asked.push(String(url));
    if (answer === undefined) throw new TypeError('no connection');
    return new Response(JSON.stringify(answer));
  };
  try {
    const german = await withWords('https://desk', speak(['de-AT']));
    assert.deepEqual([german.words.close, german.language], ['Schließen', 'de-AT']);
    // One of before this release, or of after it.
    answer = { close: 'Zu', more: 'x', send: 7 };
    const older = await withWords('https://desk', speak(['de']));
    assert.deepEqual([older.words.close, older.words.send], ['Zu', 'Send']);
    answer = undefined;
    const none = await withWords('https://desk', speak(['ar']));
    assert.deepEqual([none.words.close, none.dir, none.language], ['Close', 'ltr', 'en']);
    await withWords('https://desk', speak(['en-GB']));
    assert.deepEqual(asked, ['de', 'de', 'ar'].map((one) => `https://desk/messenger/words/${one}.json`));
  } finally {
    globalThis.fetch = before;
  }
});

test('a name that turns text around is shut in', () => {
  assert.equal(fill('with {0}', '\u202eeve'), 'with \u2068\u202eeve\u2069');
  assert.equal(fill('{0}, {1}', 1, '{0}'), '\u20681\u2069, \u2068{0}\u2069');
});
