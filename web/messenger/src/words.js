// What the messenger says: English is always there, and each other language is a file of its own, of which only the one that is spoken is
// fetched. `{0}` and `{1}` are filled in, each isolated from the direction of the text around it.

const en = {
  title: 'Chat with us',
  close: 'Close',
  hello: 'Hello! How can we help?',
  name: 'Name',
  email: 'E-mail',
  write: 'Write a message',
  send: 'Send',
  queued: 'You are in line',
  place: 'You are in line, place {0}',
  wait: 'Usually {0}, seldom over {1}',
  opens: 'Nobody is here until {0}. What you write now is answered then.',
  with: 'You are talking with {0}',
  away: '{0} is reconnecting. What you write is kept.',
  typing: '{0} is writing',
  joined: '{0} has joined',
  left: '{0} has left',
  requeued: 'You are in line again',
  moved: 'You are in line for {0}',
  ended: 'The conversation has ended',
  connecting: 'No connection yet. This is the last that is known.',
  stopped: 'This conversation has ended here.',
  fresh: 'New conversation',
  earlier: 'Earlier messages',
  sending: 'Sending',
  kept: 'Not sent yet',
  sent: 'Sent',
  read: 'Read',
  again: 'Try again',
  drop: 'Discard',
  unread: 'New messages: {0}',
  end: 'End',
  sure: 'Really end?',
  reach: 'Your e-mail, so that we can reach you',
  nobody_there: 'Nobody is here now. Please try again later.',
  closed_until: 'Nobody is here until {0}.',
  queue_full: 'Too many are waiting. Please try again later.',
  too_large: 'This is too long.',
  refused: 'This was not taken.',
  offline: 'Nobody is here now. Leave a message, and we answer by e-mail.',
  offline_until: 'Nobody is here until {0}. Leave a message, and we answer by e-mail.',
  taken: 'Your message has reached us. We answer by e-mail.',
};

/** @typedef {typeof en} Words */

/** @typedef {{ language: string, base: string, words: Words, dir: 'ltr' | 'rtl' }} Spoken `language` as it was wanted, for times and numbers. */

export const LANGUAGES = ['en', 'de', 'es', 'ar'];
const RIGHT_TO_LEFT = ['ar'];

/**
 * The first of these languages that is spoken here, or English.
 * @param {readonly string[]} wanted BCP 47: `de-AT`.
 * @param {readonly string[]} [only] Those that may be spoken; none: all.
 * @returns {Spoken} In English until what else it says has come.
 */
export function speak(wanted, only = []) {
  const base = (/** @type {string} */ language) => language.toLowerCase().split('-')[0] ?? '';
  const may = (/** @type {string} */ one) => LANGUAGES.includes(base(one)) && (only.length === 0 || only.includes(base(one))) && isTag(one);
  const first = only.find((one) => LANGUAGES.includes(one)) ?? 'en';
  const language = wanted.find(may) ?? first;
  return { language, base: base(language), words: en, dir: RIGHT_TO_LEFT.includes(base(language)) ? 'rtl' : 'ltr' };
}

/**
 * The same with the words of its language; what that has not, or cannot be had now, is said in English.
 * @param {string} url Of the server.
 * @param {Spoken} spoken
 * @returns {Promise<Spoken>}
 */
export async function withWords(url, spoken) {
  if (spoken.base === 'en') return spoken;
  try {
    const response = await fetch(`${url}/messenger/words/${spoken.base}.json`);
    if (!response.ok) throw new TypeError(`${response.status}`);
    const said = await response.json();
    const strings = Object.fromEntries(Object.entries(said).filter(([, text]) => typeof text === 'string'));
    return { ...spoken, words: { ...en, ...strings } };
  } catch {
    // In one language and one direction, whatever happens.
    return speak(['en']);
  }
}

/** What is none, `Intl` throws at. @param {string} language */
function isTag(language) {
  try {
    return Intl.getCanonicalLocales(language).length > 0;
  } catch {
    return false;
  }
}

/**
 * @param {string} words
 * @param {...(string | number)} values Of anybody: isolated, so that none turns the rest of the sentence around.
 */
export function fill(words, ...values) {
  return words.replace(/\{(\d)\}/g, (_, at) => `\u2068${values[Number(at)] ?? ''}\u2069`);
}
