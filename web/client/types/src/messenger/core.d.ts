import { Kept } from '../shared/outbox.js';
import { Following } from './following.js';
import { Line } from './line.js';
export type Command = import('../shared/client.js').Command;
export type TokenSource = import('../agent/link.js').TokenSource;
export type MessengerState = import('./state.js').MessengerState;
export declare class Core {
    env: import("../shared/environment.js").Environment;
    base: string;
    key: string;
    known: import("../agent/link.js").TokenSource | undefined;
    /** Of an anonymous customer, as the start gave it. @type {string | undefined} */
    visitor: string | undefined;
    /** The last that the function gave. @type {string | undefined} */
    fetched: string | undefined;
    refused: string;
    around: {
        state: () => MessengerState;
        tell: (frame: any) => void;
    };
    kept: Kept;
    healing: number;
    /** What a known customer began before it was known what it has; while that is looked up. @type {Command[] | undefined} */
    held: Command[] | undefined;
    following: Following;
    writes: Line;
    looks: Line;
    /**
     * @param {import('../shared/environment.js').Environment} env
     * @param {import('../shared/clock.js').Alarms} alarms
     * @param {{ base: string, scope: string, token: TokenSource | undefined }} to `token`: of a known customer.
     * @param {{ state: () => MessengerState, tell: (frame: any) => void }} around
     */
    constructor(env: import('../shared/environment.js').Environment, alarms: import('../shared/clock.js').Alarms, { base, scope, token }: {
        base: string;
        scope: string;
        token: TokenSource | undefined;
    }, around: {
        state: () => MessengerState;
        tell: (frame: any) => void;
    });
    /** From where it was before a reload, or before another tab's end. */
    start(): Promise<void>;
    follow(): void;
    /** A function is asked again when its last token ends, or was refused. */
    token(): Promise<string | undefined>;
    /** @param {Command} command */
    ask(command: Command): void;
    /** @param {Command} command */
    mention({ id }: Command): Promise<void>;
    /** @param {Command} command @param {AbortSignal} signal @returns {Promise<import('./stream.js').Answer>} */
    call(command: Command, signal: AbortSignal): Promise<import('./stream.js').Answer>;
    /** @param {Command} command @param {AbortSignal} signal @param {string | undefined} token @returns {Promise<import('./stream.js').Answer>} */
    callAs(command: Command, signal: AbortSignal, token: string | undefined): Promise<import('./stream.js').Answer>;
    /** @param {Command} command @param {Exclude<import('./stream.js').Answer, { broken: true }>} answer */
    answered(command: Command, answer: Exclude<import('./stream.js').Answer, {
        broken: true;
    }>): void;
    /** What was begun meanwhile is a message, where there is a conversation that goes on: nobody begins a second one by accident. @param {boolean} [goesOn] */
    release(goesOn?: boolean): void;
    /** @param {any} conversation */
    resume(conversation: any): void;
    /** @param {Command} command @param {string} code @param {string} message */
    refuse(command: Command, code: string, message: string): void;
    /** Something was heard: what is missing is asked for, and what is worth it is kept. */
    changed(): void;
    /** @param {string} id */
    discard(id: string): void;
    forget(): Promise<void>;
    /** @param {{ token: string | undefined, state: object }} saved */
    save(saved: {
        token: string | undefined;
        state: object;
    }): Promise<void>;
    /** @returns {Promise<{ token?: string, state?: object }>} */
    load(): Promise<{
        token?: string;
        state?: object;
    }>;
    nudge(): void;
    /** @param {string} why */
    stop(why: string): void;
}
