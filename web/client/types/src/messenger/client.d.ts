import { SharedClient } from '../shared/client.js';
import { Core } from './core.js';
export type MessengerState = import('./state.js').MessengerState;
export type TokenSource = import('../agent/link.js').TokenSource;
export type MessengerOptions = {
    /**
     * Of the server: `https://desk.example`.
     */
    url: string;
    workspace: string;
    /**
     * Of a known customer, signed by the page's own backend. Absent: a visitor, who gets a token with the first start.
     */
    token?: TokenSource;
    /**
     * Who that is, where the token is a function: what is kept in this browser is kept for that one.
     */
    customer?: string;
    /**
     * Whether tabs of one browser share one stream (default true, where the browser can).
     */
    shared?: boolean;
    environment?: Partial<import('../shared/environment.js').Environment>;
};
/** @extends {SharedClient<MessengerState>} */
export declare class MessengerClient extends SharedClient<MessengerState> {
    to: {
        url: string;
        workspace: string;
        token: import("../agent/link.js").TokenSource | undefined;
        customer: string | undefined;
    };
    /** @type {Core | undefined} */
    core: Core | undefined;
    /** @type {import('../shared/client.js').Command[]} */
    early: import('../shared/client.js').Command[];
    typedAt: number;
    scope: string | undefined;
    coming: Core | undefined;
    /** @param {MessengerOptions} options */
    constructor({ url, workspace, token, customer, shared, environment }: MessengerOptions);
    /** Goes on where it was, if it was anywhere: shown at once as it was last known, and then as it is. */
    connect(): void;
    /** Ends this tab's part in it. Nothing that was said or written is lost. */
    stop(): void;
    /** The workspace's messenger. */
    get base(): string;
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
     * Begins a conversation.
     * @param {{ text?: string, name?: string, channel?: string, metadata?: Record<string, string>, or_message?: boolean }} [body] What a form asked
     *   before it goes into `name` and `metadata`, a flat object of strings. `or_message`: should it be refused for now, it is a message that is left.
     */
    start(body?: {
        text?: string;
        name?: string;
        channel?: string;
        metadata?: Record<string, string>;
        or_message?: boolean;
    }): Promise<any>;
    /**
     * Written now, shown as pending, sent once; behind a start that is under way.
     * @param {string} text
     * @param {readonly import('../shared/files.js').Attached[]} [files] As they were uploaded; then the text may be empty.
     */
    send(text: string, files?: readonly import('../shared/files.js').Attached[]): Promise<any>;
    /** @param {string} entry Its id in `pending`. */
    discard(entry: string): void;
    /** @param {number} number Read up to there. */
    read(number: number): Promise<any>;
    typing(): void;
    /** The customer ends it. */
    leave(): Promise<any>;
    /**
     * Whether anybody is there, before anything is begun.
     * @param {Record<string, string>} [metadata] As of a start.
     * @returns {Promise<import('./state.js').Reception>}
     */
    reception(metadata?: Record<string, string>): Promise<import('./state.js').Reception>;
    /** The messages before those that are known. @param {number} [limit] */
    earlier(limit?: number): Promise<any>;
    /**
     * The visitor has signed in: what was the visitor's is now the known customer's, and goes on as that.
     * @param {TokenSource} token
     * @param {string} [customer] As of the options.
     */
    identify(token: TokenSource, customer?: string): Promise<void>;
    /** This customer's tokens are void from now on, everywhere; and nothing of it stays in this browser. */
    signOut(): Promise<any>;
    /** Nothing of it stays in this browser; the conversation goes on without it. */
    forget(): void;
}
