import { Alarms, Clock } from './clock.js';
import { Refused } from './refused.js';
import { Tabs } from './tabs.js';
export type Rules<S> = {
    reduce: (state: S, frame: any) => S;
    /**
     * The same as of another tab's clock.
     */
    shifted: (state: S, ms: number) => S;
};
export type Environment = import('./environment.js').Environment;
export type Command = {
    type: string;
    id: string;
} & Record<string, any>;
/** @template S */
export declare class SharedClient<S> {
    env: import("./environment.js").Environment;
    shared: boolean;
    rules: Rules<S>;
    /** The client's own clock: times in the state are on it. */
    clock: Clock;
    alarms: Alarms;
    current: S;
    /** @type {Set<(state: S, frame: any) => void>} */
    listeners: Set<(state: S, frame: any) => void>;
    /** @type {Map<string, { command: Command, done: (reply: any) => void, fail: (error: Refused) => void }>} */
    waiting: Map<string, {
        command: Command;
        done: (reply: any) => void;
        fail: (error: Refused) => void;
    }>;
    /** @type {Tabs | undefined} */
    tabs: Tabs | undefined;
    /** @type {(() => void)[]} */
    deaf: (() => void)[];
    /**
     * @param {Partial<Environment> | undefined} given
     * @param {boolean} shared
     * @param {Rules<S>} rules
     * @param {S} state
     */
    constructor(given: Partial<Environment> | undefined, shared: boolean, rules: Rules<S>, state: S);
    /** As of now. Not to be changed: each change is another value. */
    get state(): S;
    /** Milliseconds on the client's clock, which times in the state are on. */
    now(): number;
    /**
     * @param {(state: S, frame: any) => void} listener Hears each new state, and the frame that made it.
     * @returns {() => void} Ends it.
     */
    subscribe(listener: (state: S, frame: any) => void): () => void;
    /**
     * Of the tab that leads: what was heard, or became of something, goes into the state, and to the other tabs.
     * @param {any} frame
     */
    tell(frame: any): void;
    /** @param {any} frame */
    apply(frame: any): void;
    /** @param {any} reply */
    settle(reply: any): void;
    /**
     * Asks once, however often it has to be sent for that.
     * @param {string} type
     * @param {Record<string, unknown>} [members]
     * @returns {Promise<any>} The reply. Rejected with `Refused`, when the server has refused it for good.
     */
    command(type: string, members?: Record<string, unknown>): Promise<any>;
    /**
     * The same where nobody waits for an answer, and where it is lost when there is no connection.
     * @param {string} type
     * @param {Record<string, unknown>} [members]
     */
    mention(type: string, members?: Record<string, unknown>): void;
    /** @param {Command} command */
    hand(command: Command): void;
    /**
     * Once it is known whose tabs belong together.
     * @param {string} scope
     */
    join(scope: string): void;
    /** What this tab waits for, to a leader who may not know of it: it is done once. */
    repeat(): void;
    listen(): void;
    /** @param {string} why */
    end(why: string): void;
    /**
     * Of the tab that leads: does it, or sees to it that it is done.
     * @param {Command} _command
     */
    ask(_command: Command): void;
    /** This tab has the connection from now on. @returns {void | Promise<void>} */
    lead(): void | Promise<void>;
    /**
     * It has it no more.
     * @param {string} [_why]
     */
    retire(_why?: string): void;
    nudge(): void;
}
