// What a person wrote and the server has not answered yet: in the state, where it is shown as pending, and in storage, so that it
// outlives a reload. An entry keeps the id that it got first, so that it is done once however often it is sent.

/**
 * @typedef {object} WireError As of docs/wire.md, *Errors*.
 * @property {string} code
 * @property {string} message
 * @property {string} [field]
 * @property {number} [retry_after_ms]
 *
 * @typedef {object} Command
 * @property {string} type
 * @property {string} id
 *
 * @typedef {object} Entry
 * @property {string} id
 * @property {Command & Record<string, unknown>} command
 * @property {number} at Unix milliseconds, when it was written.
 * @property {'waiting' | 'sent' | 'refused'} state `waiting`: for a connection, or for the one before it.
 * @property {WireError} [error] Why it was refused.
 * @property {boolean} [held] Nothing of it was sent: it waits for what is looked up first.
 * @property {number} [seen] The number of a message that looks like this one, while its answer is under way: it is shown by that.
 */

/** More is not written by a person while a connection is away. */
export const ENTRIES_MAX = 500;

/**
 * @param {readonly Entry[]} entries
 * @param {Entry} entry
 * @returns {readonly Entry[]}
 */
export function queued(entries, entry) {
  return entries.some(({ id }) => id === entry.id) ? entries : [...entries, entry];
}

/**
 * @param {readonly Entry[]} entries
 * @param {string} id
 * @param {Partial<Entry>} change
 * @returns {readonly Entry[]}
 */
export function changed(entries, id, change) {
  if (!entries.some((entry) => entry.id === id)) return entries;
  return entries.map((entry) => (entry.id === id ? { ...entry, ...change } : entry));
}

/**
 * @param {readonly Entry[]} entries
 * @param {string} id
 * @param {WireError} [error]
 * @returns {readonly Entry[]}
 */
export function answered(entries, id, error) {
  if (error) return changed(entries, id, { state: 'refused', error, seen: undefined });
  return entries.some((entry) => entry.id === id) ? entries.filter((entry) => entry.id !== id) : entries;
}

/**
 * The connection is gone: what was sent may have been done or not, and waits to be sent again.
 * @param {readonly Entry[]} entries
 * @returns {readonly Entry[]}
 */
export function unsent(entries) {
  if (!entries.some(({ state }) => state === 'sent')) return entries;
  return entries.map((entry) => (entry.state === 'sent' ? { ...entry, state: /** @type {const} */ ('waiting') } : entry));
}

/** Entries in storage, one key for each, so that two tabs never write over each other. */
export class Kept {
  /**
   * @param {import('./storage.js').Storage} storage
   * @param {string} scope
   */
  constructor(storage, scope) {
    this.storage = storage;
    this.prefix = `${scope}|outbox|`;
    /** @type {Map<string, string>} */
    this.keys = new Map();
    this.count = 0;
  }

  /**
   * @param {Entry} entry
   * @returns {Promise<boolean>} Whether it would outlive a reload.
   */
  async keep(entry) {
    let key = this.keys.get(entry.id);
    if (!key) {
      // The order of keys is the order in which things were written.
      const place = `${String(entry.at).padStart(15, '0')}.${String(this.count++).padStart(6, '0')}`;
      key = `${this.prefix}${place}.${entry.id}`;
      this.keys.set(entry.id, key);
    }
    try {
      await this.storage.write(key, JSON.stringify({ ...entry, seen: undefined }));
      return true;
    } catch {
      // Full, or forbidden to this page: then it lives as long as the page does.
      return false;
    }
  }

  /** @param {string} id */
  async drop(id) {
    const key = this.keys.get(id);
    this.keys.delete(id);
    try {
      if (key) await this.storage.remove(key);
    } catch {
      // It is sent once more after a reload, and done once.
    }
  }

  /** @returns {Promise<Entry[]>} In the order in which they were written. */
  async load() {
    /** @type {Entry[]} */
    const entries = [];
    try {
      for (const key of await this.storage.keys(this.prefix)) {
        const entry = entryOf(await this.storage.read(key));
        if (!entry) continue;
        this.keys.set(entry.id, key);
        entries.push({ ...entry, state: entry.state === 'refused' ? 'refused' : 'waiting' });
      }
    } catch {
      // What cannot be read is not there.
    }
    return entries;
  }
}

/**
 * @param {string | null} text
 * @returns {Entry | undefined}
 */
function entryOf(text) {
  try {
    const entry = JSON.parse(text ?? 'null');
    const whole = typeof entry?.id === 'string' && typeof entry.command?.type === 'string' && typeof entry.at === 'number';
    return whole ? entry : undefined;
  } catch {
    return undefined;
  }
}
