// Where things are kept that outlive a reload: the browser's localStorage, the memory, or what a page hands in.

/**
 * Keys and values are strings. Each answer may come now or later (IndexedDB answers later).
 * @typedef {object} Storage
 * @property {(key: string) => string | null | Promise<string | null>} read
 * @property {(key: string, value: string) => void | Promise<void>} write
 * @property {(key: string) => void | Promise<void>} remove
 * @property {(prefix: string) => string[] | Promise<string[]>} keys Sorted.
 */

/**
 * localStorage, or whatever behaves like it; nothing where a page has none, or may not touch it.
 * @param {globalThis.Storage} [given]
 * @returns {Storage | undefined}
 */
export function webStorage(given) {
  /** @type {globalThis.Storage} */
  let held;
  try {
    // Node's own warns, or needs a file: it is taken only in a page, where reading it may throw too.
    const found = given ?? ('document' in globalThis ? globalThis.localStorage : undefined);
    if (!found) return undefined;
    held = found;
  } catch {
    return undefined;
  }
  return {
    read: (key) => held.getItem(key),
    write: (key, value) => held.setItem(key, value),
    remove: (key) => held.removeItem(key),
    keys: (prefix) => {
      const found = [];
      for (let at = 0; at < held.length; at++) {
        const key = held.key(at);
        if (key?.startsWith(prefix)) found.push(key);
      }
      return found.sort();
    },
  };
}

/**
 * Lost with the process.
 * @param {Map<string, string>} [held]
 * @returns {Storage}
 */
export function memoryStorage(held = new Map()) {
  return {
    read: (key) => held.get(key) ?? null,
    write: (key, value) => void held.set(key, value),
    remove: (key) => void held.delete(key),
    keys: (prefix) => [...held.keys()].filter((key) => key.startsWith(prefix)).sort(),
  };
}
