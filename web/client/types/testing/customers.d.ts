import { FileCalls } from './file_calls.js';
export type Request = import('node:http').IncomingMessage;
export type Response = import('node:http').ServerResponse;
export type Desk = import('./desk.js').Desk;
export type Conversation = import('./desk.js').Conversation;
export type Points = import('./mischief.js').Points;
export type Mischief = import('./mischief.js').Mischief;
export type Event = {
    id?: number;
    event: string;
    data: object;
};
export type Stream = {
    response: Response;
    conversation: Conversation;
    last: number;
    line: Event[];
    sending: boolean;
    mute: boolean;
};
/**
 * @typedef {import('node:http').IncomingMessage} Request
 * @typedef {import('node:http').ServerResponse} Response
 * @typedef {import('./desk.js').Desk} Desk
 * @typedef {import('./desk.js').Conversation} Conversation
 * @typedef {import('./mischief.js').Points} Points
 * @typedef {import('./mischief.js').Mischief} Mischief
 *
 * @typedef {{ id?: number, event: string, data: object }} Event
 * @typedef {{ response: Response, conversation: Conversation, last: number, line: Event[], sending: boolean, mute: boolean }} Stream
 */
export declare class Customers {
    desk: import("./desk.js").Desk;
    points: import("./mischief.js").Points;
    /** @type {Set<Stream>} */
    streams: Set<Stream>;
    /** @type {Set<string>} */
    signedOut: Set<string>;
    files: FileCalls;
    /**
     * @param {Desk} desk
     * @param {Points} points
     */
    constructor(desk: Desk, points: Points);
    /** @param {Request} request @param {Response} response */
    answer(request: Request, response: Response): Promise<void>;
    /** @param {Request} request @param {Response} response @param {string} call @param {any} done */
    reply(request: Request, response: Response, call: string, done: any): Promise<undefined>;
    /** @param {Request} request */
    customer(request: Request): string;
    /** @param {Request} request @param {string} id */
    own(request: Request, id: string): import("./desk.js").Conversation;
    /**
     * @param {Request} request @param {string} call @param {string} workspace @param {string[]} path @param {URLSearchParams} query @param {any} body
     * @returns {any}
     */
    obey(request: Request, call: string, workspace: string, path: string[], query: URLSearchParams, body: any): any;
    /** @param {Request} request @param {string} workspace @param {string} key @param {any} body */
    start(request: Request, workspace: string, key: string, body: any): {
        conversation: {
            place: number;
            rating: {
                score: number;
                at: number;
            };
            conversation: string;
            state: "active" | "closed" | "waiting";
            queue: string;
            agent: {
                title: string;
            } | null;
            last_number: number;
            read_by_agent: number;
            read_by_customer: number;
            opened_at: number;
        } | {
            place: number;
            rating?: undefined;
            conversation: string;
            state: "active" | "closed" | "waiting";
            queue: string;
            agent: {
                title: string;
            } | null;
            last_number: number;
            read_by_agent: number;
            read_by_customer: number;
            opened_at: number;
        } | {
            place?: undefined;
            rating: {
                score: number;
                at: number;
            };
            conversation: string;
            state: "active" | "closed" | "waiting";
            queue: string;
            agent: {
                title: string;
            } | null;
            last_number: number;
            read_by_agent: number;
            read_by_customer: number;
            opened_at: number;
        } | {
            place?: undefined;
            rating?: undefined;
            conversation: string;
            state: "active" | "closed" | "waiting";
            queue: string;
            agent: {
                title: string;
            } | null;
            last_number: number;
            read_by_agent: number;
            read_by_customer: number;
            opened_at: number;
        };
        number?: number | undefined;
        token?: string | undefined;
        events: string;
    };
    /** @param {Response} response @param {{ held: Conversation, last: number }} from */
    follow(response: Response, { held, last }: {
        held: Conversation;
        last: number;
    }): void;
    /** @param {Conversation} held @param {Event} event */
    tell(held: Conversation, event: Event): void;
    /** @param {Stream} stream @param {Event} event */
    put(stream: Stream, event: Event): void;
    /** @param {Stream} stream */
    flush(stream: Stream): Promise<void>;
}
/**
 * @param {Response} response
 * @param {number} status
 * @param {Record<string, unknown>} error
 */
export declare function problem(response: Response, status: number, error: Record<string, unknown>): void;
