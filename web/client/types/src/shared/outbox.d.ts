export type WireError = {
    code: string;
    message: string;
    field?: string;
    retry_after_ms?: number;
};
export type Command = {
    type: string;
    id: string;
};
export type Entry = {
    id: string;
    command: Command & Record<string, unknown>;
    /**
     * Unix milliseconds, when it was written.
     */
    at: number;
    /**
     * `waiting`: for a connection, or for the one before it.
     */
    state: 'waiting' | 'sent' | 'refused';
    /**
     * Why it was refused.
     */
    error?: WireError;
    /**
     * Nothing of it was sent: it waits for what is looked up first.
     */
    held?: boolean;
    /**
     * The number of a message that looks like this one, while its answer is under way: it is shown by that.
     */
    seen?: number;
};
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
export declare const ENTRIES_MAX = 500;
/**
 * @param {readonly Entry[]} entries
 * @param {Entry} entry
 * @returns {readonly Entry[]}
 */
export declare function queued(entries: readonly Entry[], entry: Entry): readonly Entry[];
/**
 * @param {readonly Entry[]} entries
 * @param {string} id
 * @param {Partial<Entry>} change
 * @returns {readonly Entry[]}
 */
export declare function changed(entries: readonly Entry[], id: string, change: Partial<Entry>): readonly Entry[];
/**
 * @param {readonly Entry[]} entries
 * @param {string} id
 * @param {WireError} [error]
 * @returns {readonly Entry[]}
 */
export declare function answered(entries: readonly Entry[], id: string, error?: WireError): readonly Entry[];
/**
 * The connection is gone: what was sent may have been done or not, and waits to be sent again.
 * @param {readonly Entry[]} entries
 * @returns {readonly Entry[]}
 */
export declare function unsent(entries: readonly Entry[]): readonly Entry[];
/** Entries in storage, one key for each, so that two tabs never write over each other. */
export declare class Kept {
    storage: import("./storage.js").Storage;
    prefix: string;
    /** @type {Map<string, string>} */
    keys: Map<string, string>;
    count: number;
    /**
     * @param {import('./storage.js').Storage} storage
     * @param {string} scope
     */
    constructor(storage: import('./storage.js').Storage, scope: string);
    /**
     * @param {Entry} entry
     * @returns {Promise<boolean>} Whether it would outlive a reload.
     */
    keep(entry: Entry): Promise<boolean>;
    /** @param {string} id */
    drop(id: string): Promise<void>;
    /** @returns {Promise<Entry[]>} In the order in which they were written. */
    load(): Promise<Entry[]>;
}
