export type Command = import('./frames.js').Command;
export type Entry = import('../shared/outbox.js').Entry;
export type Asked = {
    command: Command;
    /**
     * Over this connection.
     */
    sent: boolean;
    /**
     * On the client's clock.
     */
    notBefore: number;
};
export type Around = {
    send: (frame: object) => boolean;
    /**
     * The state, and the other tabs.
     */
    tell: (frame: any) => void;
};
export declare class Commands {
    env: Pick<import("../shared/environment.js").Environment, "random" | "wall">;
    alarms: import("../shared/clock.js").Alarms;
    kept: import("../shared/outbox.js").Kept;
    around: Around;
    /** @type {Map<string, Asked>} In the order in which they were asked. */
    asked: Map<string, Asked>;
    frameBytesMax: number;
    /**
     * @param {Pick<import('../shared/environment.js').Environment, 'random' | 'wall'>} env
     * @param {import('../shared/clock.js').Alarms} alarms
     * @param {import('../shared/outbox.js').Kept} kept
     * @param {Around} around
     */
    constructor(env: Pick<import('../shared/environment.js').Environment, 'random' | 'wall'>, alarms: import('../shared/clock.js').Alarms, kept: import('../shared/outbox.js').Kept, around: Around);
    /** @param {readonly Entry[]} entries What is in the state or in storage already. */
    takeOver(entries: readonly Entry[]): void;
    /** @param {Command} command */
    ask(command: Command): void;
    /** Sends what may be sent now. */
    pump(): void;
    /** @param {Asked} one */
    send(one: Asked): void;
    /**
     * @param {any} reply
     */
    answered(reply: any): void;
    /**
     * The connection is gone: what was sent over it is sent again over the next.
     * @param {number | undefined} code
     */
    disconnected(code: number | undefined): void;
    /** @param {string} id */
    discard(id: string): void;
    /**
     * @param {Command} command
     * @param {import('./frames.js').WireError} error
     */
    refuse(command: Command, error: import('./frames.js').WireError): void;
}
