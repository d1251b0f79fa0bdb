export type Told = import('./outbox.js').WireError & Record<string, unknown>;
/** @typedef {import('./outbox.js').WireError & Record<string, unknown>} Told */
export declare class Refused extends Error {
    code: string;
    /** Whatever else was said: `field`, `end`, `state`, `retry_after_ms`. */
    error: Told;
    /** @param {Told} error */
    constructor(error: Told);
}
/** Nothing happened, and it may be tried again. */
export declare const AGAIN: Set<string>;
/** The same over HTTP; of a proxy, it is not known what happened, which is settled by asking again. @param {{ error: Told, status: number }} answer */
export declare function isForNow({ error: { code }, status }: {
    error: Told;
    status: number;
}): boolean;
/**
 * @param {number} status
 * @param {string | null} after The header `Retry-After`.
 * @param {string} text
 * @returns {Told}
 */
export declare function errorOf(status: number, after: string | null, text: string): Told;
