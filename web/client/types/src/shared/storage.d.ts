export type Storage = {
    read: (key: string) => string | null | Promise<string | null>;
    write: (key: string, value: string) => void | Promise<void>;
    remove: (key: string) => void | Promise<void>;
    /**
     * Sorted.
     */
    keys: (prefix: string) => string[] | Promise<string[]>;
};
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
export declare function webStorage(given?: globalThis.Storage): Storage | undefined;
/**
 * Lost with the process.
 * @param {Map<string, string>} [held]
 * @returns {Storage}
 */
export declare function memoryStorage(held?: Map<string, string>): Storage;
