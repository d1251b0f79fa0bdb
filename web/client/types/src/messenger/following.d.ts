export type Link = import('./state.js').Link;
export type Around = {
    /**
     * Another than the refused one, or none.
     */
    token: (refused?: string) => Promise<string | undefined>;
    what: () => {
        url: string;
        after: number;
    } | undefined;
    link: (link: Link) => void;
    event: (event: any) => void;
    /**
     * The server knows fewer events than we.
     */
    anew: () => void;
};
export declare class Following {
    env: import("../shared/environment.js").Environment;
    alarms: import("../shared/clock.js").Alarms;
    clock: import("../shared/clock.js").Clock;
    around: Around;
    /** @type {Link} */
    state: Link;
    opening: number;
    attempt: number;
    liveSince: number;
    advised: boolean;
    /** @type {(() => void) | undefined} */
    end: (() => void) | undefined;
    refused: string;
    /**
     * @param {import('../shared/environment.js').Environment} env
     * @param {import('../shared/clock.js').Alarms} alarms
     * @param {Around} around
     */
    constructor(env: import('../shared/environment.js').Environment, alarms: import('../shared/clock.js').Alarms, around: Around);
    /** From now on, or of another conversation. */
    start(): Promise<void>;
    listen(): void;
    /** @param {{ retry_ms?: number, status?: number, error?: { code: string, retry_after_ms?: number } }} ended */
    over({ retry_ms, status, error }: {
        retry_ms?: number;
        status?: number;
        error?: {
            code: string;
            retry_after_ms?: number;
        };
    }): void;
    /** @param {number} ms @param {boolean} advised */
    comeBackIn(ms: number, advised: boolean): void;
    nudge(): void;
    drop(): void;
    /** @param {string} why */
    stop(why: string): void;
    /** @param {Link} link */
    become(link: Link): void;
}
