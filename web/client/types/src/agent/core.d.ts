import { Commands } from './commands.js';
import { Link } from './link.js';
export type Command = import('./frames.js').Command;
export type AgentState = import('./state.js').AgentState;
export type Around = {
    state: () => AgentState;
    tell: (frame: any) => void;
};
export declare class Core {
    env: import("../shared/environment.js").Environment;
    alarms: import("../shared/clock.js").Alarms;
    around: Around;
    kept: import("../shared/outbox.js").Kept;
    ticketKey: string;
    link: Link;
    own: string;
    probe: string;
    commands: Commands;
    /** Conversation -> from where on messages were asked for. @type {Map<string, number>} */
    healing: Map<string, number>;
    /** What is watched again over each connection. @type {Map<string, Record<string, unknown>>} */
    watching: Map<string, Record<string, unknown>>;
    /**
     * @param {import('../shared/environment.js').Environment} env
     * @param {import('../shared/clock.js').Alarms} alarms
     * @param {import('../shared/outbox.js').Kept} kept
     * @param {{ url: string, token: import('./link.js').TokenSource, ticket?: string, ticketKey: string }} to
     * @param {Around} around
     */
    constructor(env: import('../shared/environment.js').Environment, alarms: import('../shared/clock.js').Alarms, kept: import('../shared/outbox.js').Kept, to: {
        url: string;
        token: import('./link.js').TokenSource;
        ticket?: string;
        ticketKey: string;
    }, around: Around);
    /** @param {readonly import('../shared/outbox.js').Entry[]} entries What waits already. */
    start(entries: readonly import('../shared/outbox.js').Entry[]): void;
    /** @param {Command} command */
    ask(command: Command): undefined;
    /** Welcomed. */
    lives(): void;
    /** @param {any} frame */
    hear(frame: any): void;
    /** @param {any} reply */
    hearReply(reply: any): void;
    /** Asks for what the snapshot had no room for, and then for what was said meanwhile. */
    complete(): void;
    /**
     * Asks for messages that are missing between, or behind, those that are known.
     * @param {string} [only] Of this conversation.
     */
    heal(only?: string): void;
    /** A new token before the old one ends, where there is somebody to ask. */
    renewInTime(): void;
    /** @param {() => string | Promise<string>} source */
    renew(source: () => string | Promise<string>): Promise<void>;
    nudge(): void;
    /** @param {string} why `idle`: another tab goes on. */
    stop(why: string): void;
}
