import { AgentSession } from './agents.js';
import { Customers } from './customers.js';
import { Desk } from './desk.js';
import { Points } from './mischief.js';
export type What = import('./mischief.js').What;
export type Mischief = import('./mischief.js').Mischief;
/**
 * @typedef {import('./mischief.js').What} What
 * @typedef {import('./mischief.js').Mischief} Mischief
 */
export declare class TestServer {
    points: Points;
    desk: Desk;
    customers: Customers;
    /** @type {Set<AgentSession>} */
    sessions: Set<AgentSession>;
    /** Each token and ticket that an agent's client came with, in order. @type {{ token: string, ticket: string | undefined }[]} */
    came: {
        token: string;
        ticket: string | undefined;
    }[];
    /** Tokens that are good no more. @type {Map<string, string>} */
    badTokens: Map<string, string>;
    /** How many offers and conversations fit into a snapshot. */
    page: number;
    /** @type {import('node:http').Server | undefined} */
    http: import('node:http').Server | undefined;
    port: number;
    constructor();
    /** Listens on a free port of this machine. */
    static start(): Promise<TestServer>;
    get url(): string;
    /**
     * @param {string | number} point
     * @param {What | Mischief} mischief
     * @param {number} [nth]
     */
    at(point: string | number, mischief: What | Mischief, nth?: number): void;
    get passed(): string[];
    /** What of files it holds, takes and refuses. */
    get files(): import("./files.js").Files;
    release(): void;
    /**
     * A token of an agent, signed by nobody.
     * @param {string} agent
     * @param {object} [more] Further claims.
     */
    token(agent: string, more?: object): string;
    listen(): Promise<void>;
    /**
     * @param {import('node:http').IncomingMessage} request
     * @param {import('node:http').ServerResponse} response
     */
    answerAgent(request: import('node:http').IncomingMessage, response: import('node:http').ServerResponse): void;
    /**
     * @param {import('node:http').IncomingMessage} request
     * @param {import('ws').WebSocket} socket
     * @param {Mischief | undefined} mischief
     */
    welcome(request: import('node:http').IncomingMessage, socket: import('ws').WebSocket, mischief: Mischief | undefined): Promise<void>;
    /** Killed: every connection ends without a word. What was done stays done. */
    kill(): Promise<void>;
    /** Again on the same port. */
    startAgain(): Promise<void>;
    stop(): Promise<void>;
}
