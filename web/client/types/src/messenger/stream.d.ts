export type Environment = import('../shared/environment.js').Environment;
export type WireError = import('../shared/outbox.js').WireError;
export type Answer = {
    ok: any;
} | {
    error: WireError & Record<string, unknown>;
    status: number;
} | {
    broken: true;
};
export type Heard = {
    opened: () => void;
    event: (event: {
        type: string;
    } & Record<string, any>) => void;
    /**
     * Something came, if only a sign of life.
     */
    alive: () => void;
    ended: (ended: {
        retry_ms?: number;
        status?: number;
        error?: WireError & Record<string, unknown>;
    }) => void;
};
/**
 * @typedef {import('../shared/environment.js').Environment} Environment
 * @typedef {import('../shared/outbox.js').WireError} WireError
 *
 * @typedef {{ ok: any } | { error: WireError & Record<string, unknown>, status: number } | { broken: true }} Answer
 *   `broken`: whether it was done is not known.
 *
 * @typedef {object} Heard
 * @property {() => void} opened
 * @property {(event: { type: string } & Record<string, any>) => void} event
 * @property {() => void} alive Something came, if only a sign of life.
 * @property {(ended: { retry_ms?: number, status?: number, error?: WireError & Record<string, unknown> }) => void} ended
 */
/**
 * @param {Pick<Environment, 'fetch'>} env
 * @param {{ method: string, url: string, token: string | undefined, id?: string, body?: unknown, isText?: boolean | undefined, signal: AbortSignal }} asked
 * @returns {Promise<Answer>}
 */
export declare function call(env: Pick<Environment, 'fetch'>, { method, url, token, id, body, isText, signal }: {
    method: string;
    url: string;
    token: string | undefined;
    id?: string;
    body?: unknown;
    isText?: boolean | undefined;
    signal: AbortSignal;
}): Promise<Answer>;
/**
 * Follows a conversation from behind the event `after`. Ends once.
 * @param {Pick<Environment, 'fetch'>} env
 * @param {{ url: string, token: string, after: number }} what
 * @param {Heard} heard
 * @returns {() => void} Ends it, and then nothing is heard of it.
 */
export declare function follow(env: Pick<Environment, 'fetch'>, { url, token, after }: {
    url: string;
    token: string;
    after: number;
}, heard: Heard): () => void;
/**
 * Reads bytes as they come, cut anywhere, into the fields of whole events. What is cut off at the end was never sent.
 * @returns {(bytes: Uint8Array) => Record<string, string>[]}
 */
export declare function lines(): (bytes: Uint8Array) => Record<string, string>[];
