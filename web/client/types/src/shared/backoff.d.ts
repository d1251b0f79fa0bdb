export type Ended = {
    /**
     * The close code; absent: the connection broke, or was never made.
     */
    code?: number;
    reason?: string;
    /**
     * Said elsewhere: over HTTP, or by `retry:` of a stream.
     */
    retry_after_ms?: number;
};
export type Return = {
    come: 'never';
    why: string;
} | {
    come: 'with_token';
    why: string;
} | {
    come: 'later';
    ms: number;
    advised: boolean;
};
/**
 * Anywhere from 0 to 1 s, doubling to 30 s.
 * @param {number} attempt From 0: how often it has failed in a row.
 * @param {number} random From 0 to 1.
 */
export declare function fullJitter(attempt: number, random: number): number;
/**
 * Not before it was advised, and not all at once.
 * @param {number} ms
 * @param {number} random
 */
export declare function advisedWithJitter(ms: number, random: number): number;
/**
 * @param {Ended} ended
 * @param {number} attempt
 * @param {number} random
 * @returns {Return}
 */
export declare function comeBack(ended: Ended, attempt: number, random: number): Return;
/**
 * @param {string} reason `retry_after_ms=1500`
 * @returns {number | undefined}
 */
export declare function adviceOf(reason: string): number | undefined;
