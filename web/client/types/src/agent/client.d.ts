import { Core } from './core.js';
import { Deeds } from './deeds.js';
export type AgentState = import('./state.js').AgentState;
export type AgentOptions = {
    /**
     * Of the server: `https://desk.example`.
     */
    url: string;
    /**
     * A token, or a function that fetches one. A function is asked again before the token ends.
     */
    token: import('./link.js').TokenSource;
    /**
     * Whether tabs of one browser share one connection (default true, where the browser can).
     */
    shared?: boolean;
    /**
     * What is to be other than this runtime's own.
     */
    environment?: Partial<import('../shared/environment.js').Environment>;
};
/**
 * @typedef {import('./state.js').AgentState} AgentState
 *
 * @typedef {object} AgentOptions
 * @property {string} url Of the server: `https://desk.example`.
 * @property {import('./link.js').TokenSource} token A token, or a function that fetches one. A function is asked again before the token ends.
 * @property {boolean} [shared] Whether tabs of one browser share one connection (default true, where the browser can).
 * @property {Partial<import('../shared/environment.js').Environment>} [environment] What is to be other than this runtime's own.
 */
export declare class AgentClient extends Deeds {
    to: {
        url: string;
        token: import("./link.js").TokenSource;
    };
    scope: string;
    reach: import("../shared/files.js").Reach;
    /** Which start is under way: none after a stop. */
    starting: number;
    starts: number;
    attempt: number;
    /** @type {Core | undefined} */
    core: Core | undefined;
    /** @type {import('./link.js').TokenSource} */
    source: import('./link.js').TokenSource;
    /** What other tabs asked before the core was there. @type {import('../shared/client.js').Command[]} */
    early: import('../shared/client.js').Command[];
    /** @param {AgentOptions} options */
    constructor({ url, token, shared, environment }: AgentOptions);
    /** Connects, and stays connected until `stop`. */
    connect(): Promise<void>;
    /** Ends this tab's part in it. The status stays what it is: the server waits a while, and then the agent is offline. */
    stop(): void;
    /**
     * Another token, for one that has ended or will: `link.why` said so.
     * @param {import('./link.js').TokenSource} token
     */
    useToken(token: import('./link.js').TokenSource): void;
    /** @override */
    lead(): Promise<void>;
    /** @override */
    retire(why?: string): void;
    /**
     * @override
     * @param {import('../shared/client.js').Command} command
     */
    ask(command: import('../shared/client.js').Command): void;
    /** @override */
    nudge(): void;
    /**
     * Where files are, and by which right: the token of the connection, or, in a tab that follows, one of its own.
     * @returns {import('../shared/files.js').Reach}
     */
    reachOf(): import('../shared/files.js').Reach;
    /** Goes on by itself when the connection broke. @param {string} conversation @param {Blob & { name?: string }} file @param {import('../shared/files.js').UploadOptions} [options] */
    upload(conversation: string, file: Blob & {
        name?: string;
    }, options?: import('../shared/files.js').UploadOptions): Promise<import("../shared/files.js").Attached>;
    /** What is in a file. @param {string} conversation @param {string} file @param {{ signal?: AbortSignal }} [options] */
    readFile(conversation: string, file: string, options?: {
        signal?: AbortSignal;
    }): Promise<Blob>;
    /** Where it is read, with the token in a header. @param {string} conversation @param {string} file */
    fileUrl(conversation: string, file: string): string;
}
