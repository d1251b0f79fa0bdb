// What an agent keeps in this browser: drafts, each under its own key so that two tabs do not write over each other, and replies that are
// used again and again. They are this agent's, on this machine.

const CANNED_MAX = 500;
const SUGGESTED_MAX = 8;
const CANNED_NAME = /^[\p{L}\p{N}][\p{L}\p{N}_-]{0,39}$/u;
const CANNED_TEXT_MAX = 16_384;

/** @typedef {{ name: string, text: string }} Canned */

export class Drafts {
  /** @param {string} scope */
  constructor(scope) {
    this.prefix = `${scope}|draft|`;
    /** What was read or written here, and what could not be stored: that is there until the page is closed. @type {Map<string, string>} */
    this.held = new Map();
    // Another tab's is taken over when it is looked at next.
    addEventListener('storage', ({ key }) => key !== null && this.held.delete(key));
  }

  /** @param {string} conversation @param {boolean} note */
  key(conversation, note) {
    return `${this.prefix}${conversation}${note ? '|note' : ''}`;
  }

  /** @param {string} conversation @param {boolean} note */
  read(conversation, note) {
    const key = this.key(conversation, note);
    const held = this.held.get(key);
    if (held !== undefined) return held;
    let found = '';
    try {
      found = localStorage.getItem(key) ?? '';
    } catch {
      // There is none then.
    }
    this.held.set(key, found);
    return found;
  }

  /** @param {string} conversation @param {boolean} note @param {string} text */
  write(conversation, note, text) {
    const key = this.key(conversation, note);
    this.held.set(key, text);
    try {
      if (text) localStorage.setItem(key, text);
      else localStorage.removeItem(key);
    } catch {
      // Full, or forbidden to this page.
    }
  }

  /** @param {string} conversation */
  has(conversation) {
    return this.read(conversation, false).trim() !== '' || this.read(conversation, true).trim() !== '';
  }

  /**
   * Of conversations that nobody holds any more: an agent's drafts are not kept for ever.
   * @param {(conversation: string) => boolean} held
   */
  prune(held) {
    try {
      const keys = Array.from({ length: localStorage.length }, (_, at) => localStorage.key(at) ?? '');
      for (const key of keys) {
        if (!key.startsWith(this.prefix) || held(key.slice(this.prefix.length).split('|')[0] ?? '')) continue;
        localStorage.removeItem(key);
        this.held.delete(key);
      }
    } catch {
      // Nothing is stored then.
    }
  }
}

/**
 * Replies out of a file, or of storage: what makes no sense is left out and counted.
 * @param {unknown} held
 * @returns {{ replies: Canned[], dropped: number }}
 */
export function cannedOf(held) {
  const given = /** @type {any} */ (held)?.replies ?? held;
  if (!Array.isArray(given)) return { replies: [], dropped: 0 };
  /** @type {Map<string, Canned>} */
  const found = new Map();
  for (const one of given) {
    if (typeof one?.name !== 'string' || typeof one?.text !== 'string' || cannedFault(one)) continue;
    if (found.size < CANNED_MAX || found.has(one.name)) found.set(one.name, { name: one.name, text: one.text });
  }
  const replies = [...found.values()].sort((a, b) => a.name.localeCompare(b.name));
  return { replies, dropped: given.length - replies.length };
}

/**
 * @param {Canned} reply
 * @returns {string} What is wrong with it; empty: nothing.
 */
export function cannedFault({ name, text }) {
  if (!CANNED_NAME.test(name)) return 'A name has letters, digits, - and _, and at most 40 of them.';
  if (!text.trim()) return 'There is no text.';
  return text.length > CANNED_TEXT_MAX ? 'The text is too long.' : '';
}

/**
 * What `/na` at the beginning of what is written may mean: names that begin so, then those that have it in them, then texts that do.
 * @param {readonly Canned[]} replies
 * @param {string} written
 * @returns {Canned[] | undefined} Nothing where nobody asks for one.
 */
export function suggested(replies, written) {
  const asked = /^\/([\p{L}\p{N}_-]*)$/u.exec(written)?.[1]?.toLowerCase();
  if (asked === undefined) return undefined;
  const place = (/** @type {Canned} */ { name, text }) => {
    const at = name.toLowerCase().indexOf(asked);
    if (at >= 0) return Math.min(at, 1);
    return asked.length > 2 && text.toLowerCase().includes(asked) ? 2 : 3;
  };
  const found = [0, 1, 2].flatMap((wanted) => replies.filter((one) => place(one) === wanted));
  return found.slice(0, SUGGESTED_MAX);
}

/**
 * `{name}` and `{agent}` are who is written to, and who writes.
 * @param {string} text
 * @param {Record<string, string>} known
 */
export function filled(text, known) {
  return text.replace(/\{(\w+)\}/g, (all, word) => (Object.hasOwn(known, word) ? (known[word] ?? all) : all));
}

export class CannedStore {
  /** @param {string} scope */
  constructor(scope) {
    this.key = `${scope}|canned`;
    /** @type {Canned[]} */
    this.replies = [];
    this.load();
    addEventListener('storage', ({ key }) => key === this.key && this.load());
  }

  load() {
    try {
      this.replies = cannedOf(JSON.parse(localStorage.getItem(this.key) ?? '[]')).replies;
    } catch {
      this.replies = [];
    }
  }

  /**
   * @param {readonly Canned[]} replies
   * @returns {boolean} Whether they are kept.
   */
  save(replies) {
    this.replies = cannedOf([...replies]).replies;
    try {
      localStorage.setItem(this.key, JSON.stringify(this.replies));
      return true;
    } catch {
      return false;
    }
  }
}
