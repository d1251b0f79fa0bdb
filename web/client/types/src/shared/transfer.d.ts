export type Environment = import('./environment.js').Environment;
export type Answer = {
    ok: any;
} | {
    error: import('./refused.js').Told;
    status: number;
} | {
    broken: true;
};
export type Sending = {
    url: string;
    headers: Record<string, string>;
    file: Blob;
    signal: AbortSignal | undefined;
};
/**
 * @typedef {{ url: string, headers: Record<string, string>, file: Blob, signal: AbortSignal | undefined }} Sending
 *
 * @param {Environment} env
 * @param {Sending} what
 * @param {(sent: number) => void} told
 * @returns {Promise<Answer>}
 */
export declare function sendTelling(env: Environment, { url, headers, file, signal }: Sending, told: (sent: number) => void): Promise<Answer>;
/**
 * @param {Environment} env
 * @param {Sending} what
 * @returns {Promise<Answer>}
 */
export declare function sendPlain(env: Environment, { url, headers, file, signal }: Sending): Promise<Answer>;
/**
 * @param {Environment} env
 * @param {{ url: string, token: string, signal: AbortSignal | undefined }} what
 * @returns {Promise<Answer>}
 */
export declare function readOnce(env: Environment, { url, token, signal }: {
    url: string;
    token: string;
    signal: AbortSignal | undefined;
}): Promise<Answer>;
