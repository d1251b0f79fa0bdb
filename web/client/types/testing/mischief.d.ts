export type What = 'drop' | 'drop_after' | 'mute' | 'duplicate' | 'snapshot' | 'cut' | 'hold' | 'refuse' | 'close';
export type Mischief = {
    what: What;
    retry_after_ms?: number;
    code?: number;
    reason?: string;
};
/**
 * @typedef {'drop' | 'drop_after' | 'mute' | 'duplicate' | 'snapshot' | 'cut' | 'hold' | 'refuse' | 'close'} What
 *   `drop`: the connection ends here, without a word. `drop_after`: this still goes out, or is still done, but not answered. `mute`: from here on nothing comes any more,
 *   while the connection stays. `duplicate`: twice. `snapshot`: an agent's session hears a snapshot, and not this delta. `cut`: half of it, and
 *   then the connection ends. `hold`: it waits for `release`. `refuse`: `busy`, with `retry_after_ms`; over HTTP with 503. `close`: an agent's session
 *   ends with `code` and `reason`.
 *
 * @typedef {object} Mischief
 * @property {What} what
 * @property {number} [retry_after_ms]
 * @property {number} [code]
 * @property {string} [reason]
 */
export declare class Points {
    /** @type {string[]} Such as `in:send`, `out:reply:send`, `out:message`, `in:POST messages`, `event:message`. */
    passed: string[];
    /** @type {{ point: string | number, nth: number, mischief: Mischief }[]} */
    planned: {
        point: string | number;
        nth: number;
        mischief: Mischief;
    }[];
    /** @type {(() => void)[]} */
    held: (() => void)[];
    constructor();
    /**
     * @param {string | number} point Its name, or its place among all that are passed.
     * @param {What | Mischief} mischief
     * @param {number} [nth] Of this name, from now on; from 1.
     */
    at(point: string | number, mischief: What | Mischief, nth?: number): void;
    /**
     * @param {string} name
     * @returns {Mischief | undefined}
     */
    pass(name: string): Mischief | undefined;
    /** @returns {Promise<void>} */
    hold(): Promise<void>;
    /** What was held goes on. */
    release(): void;
}
