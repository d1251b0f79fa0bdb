export type Environment = import('../shared/environment.js').Environment;
export type LinkState = import('./state.js').Link;
export type TokenSource = string | (() => string | Promise<string>);
export type Heard = {
    link: (link: LinkState) => void;
    frame: (frame: any) => void;
    /**
     * Before it is decided when to come back.
     */
    ended: (code: number | undefined) => void;
    /**
     * Nothing has been heard for long: something that is answered is to be sent.
     */
    silent: () => void;
};
export declare class Link {
    env: import("../shared/environment.js").Environment;
    alarms: import("../shared/clock.js").Alarms;
    clock: import("../shared/clock.js").Clock;
    to: {
        url: string;
        token: TokenSource;
        ticket?: string;
    };
    heard: Heard;
    /** @type {LinkState} */
    state: LinkState;
    attempt: number;
    /** Which opening is under way: what belongs to an older one is not listened to. */
    opening: number;
    /** @type {import('./socket.js').Open | undefined} */
    socket: import('./socket.js').Open | undefined;
    token: string;
    refused: string;
    liveSince: number;
    heardAt: number;
    advised: boolean;
    /**
     * @param {Environment} env
     * @param {import('../shared/clock.js').Alarms} alarms
     * @param {{ url: string, token: TokenSource, ticket?: string }} to
     * @param {Heard} heard
     */
    constructor(env: Environment, alarms: import('../shared/clock.js').Alarms, to: {
        url: string;
        token: TokenSource;
        ticket?: string;
    }, heard: Heard);
    get isLive(): boolean;
    start(): void;
    /** @param {string} why */
    stop(why: string): void;
    /** @param {TokenSource} token */
    renew(token: TokenSource): void;
    /**
     * @param {object} frame
     * @returns {boolean} Whether it was handed to the connection, which says nothing of the server.
     */
    send(frame: object): boolean;
    /** Something happened that makes a connection likely, or a dead one: the network is back, the tab is looked at again. */
    nudge(): void;
    woke(): void;
    sooner(): void;
    connect(): Promise<void>;
    /** @param {any} frame */
    hear(frame: any): void;
    /** The server's pings are not told to a page: so what was heard is what counts. */
    listen(since?: number): void;
    probe(): void;
    drop(): void;
    /** @param {import('./come_back.js').Ended} ended */
    over(ended: import('./come_back.js').Ended): void;
    /**
     * @param {number} ms
     * @param {boolean} advised
     */
    comeBackIn(ms: number, advised: boolean): void;
    /** @param {LinkState} state */
    become(state: LinkState): void;
}
