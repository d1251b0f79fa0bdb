export type Command = import('../shared/client.js').Command;
export type Answer = import('./stream.js').Answer;
export type Around = {
    call: (command: Command, signal: AbortSignal) => Promise<Answer>;
    sent: (command: Command) => void;
    waits: (command: Command) => void;
    /**
     * For good.
     */
    answered: (command: Command, answer: Exclude<Answer, {
        broken: true;
    }>) => void;
};
export declare class Line {
    env: Pick<import("../shared/environment.js").Environment, "random">;
    alarms: import("../shared/clock.js").Alarms;
    name: string;
    around: Around;
    /** @type {Map<string, Command>} In the order in which they were asked. */
    asked: Map<string, Command>;
    attempt: number;
    notBefore: number;
    advised: boolean;
    /** @type {AbortController | undefined} */
    running: AbortController | undefined;
    stopped: boolean;
    /**
     * @param {Pick<import('../shared/environment.js').Environment, 'random'>} env
     * @param {import('../shared/clock.js').Alarms} alarms
     * @param {string} name Of its alarms.
     * @param {Around} around
     */
    constructor(env: Pick<import('../shared/environment.js').Environment, 'random'>, alarms: import('../shared/clock.js').Alarms, name: string, around: Around);
    /** @param {Command} command @returns {boolean} Whether it has a place. */
    ask(command: Command): boolean;
    /** @param {string} id @returns {boolean} Whether it is asked no more; what is under way cannot be taken back. */
    discard(id: string): boolean;
    pump(): void;
    /** A connection is likely now. */
    nudge(): void;
    /** @param {Command} command */
    run(command: Command): Promise<void>;
    stop(): void;
}
