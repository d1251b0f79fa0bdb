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
