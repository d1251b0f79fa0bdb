export declare class Refused extends Error {
    code: string;
    /** Whatever else was said: `field`, `end`, `state`, `retry_after_ms`. */
    error: import("./outbox.js").WireError & Record<string, unknown>;
    /** @param {import('./outbox.js').WireError & Record<string, unknown>} error */
    constructor(error: import('./outbox.js').WireError & Record<string, unknown>);
}
