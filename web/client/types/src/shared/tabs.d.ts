export type Environment = import('./environment.js').Environment;
export type Heard = {
    /**
     * This tab has the connection from now on.
     */
    lead: () => void;
    /**
     * A leader is there, perhaps a new one, and may not know what this tab asked of the last.
     */
    follow: () => void;
    /**
     * Of the leader's, in order, and how many ms ago it was told.
     */
    frame: (frame: any, age: number) => void;
    /**
     * The leader's, whole, and its clock then.
     */
    state: (state: any, now: number) => void;
    /**
     * Of the leader: its state, for a tab that comes late.
     */
    whole: () => {
        state: any;
        now: number;
    };
    /**
     * To the leader, of another tab.
     */
    command: (command: any) => void;
    /**
     * To the leader: something happened in another tab that makes a connection likely.
     */
    nudge: () => void;
};
/**
 * @typedef {import('./environment.js').Environment} Environment
 *
 * @typedef {object} Heard What a tab does with what it hears.
 * @property {() => void} lead This tab has the connection from now on.
 * @property {() => void} follow A leader is there, perhaps a new one, and may not know what this tab asked of the last.
 * @property {(frame: any, age: number) => void} frame Of the leader's, in order, and how many ms ago it was told.
 * @property {(state: any, now: number) => void} state The leader's, whole, and its clock then.
 * @property {() => { state: any, now: number }} whole Of the leader: its state, for a tab that comes late.
 * @property {(command: any) => void} command To the leader, of another tab.
 * @property {() => void} nudge To the leader: something happened in another tab that makes a connection likely.
 */
export declare class Tabs {
    env: Pick<import("./environment.js").Environment, "BroadcastChannel" | "id" | "locks" | "wall">;
    name: string;
    heard: Heard;
    me: string;
    /** @type {'out' | 'joining' | 'following' | 'leading'} */
    role: 'out' | 'joining' | 'following' | 'leading';
    /** The leader's place in what it has told; of a follower: the last that it has heard. */
    told: number;
    leader: string;
    /** @type {import('./environment.js').Channel | undefined} */
    channel: import('./environment.js').Channel | undefined;
    /** @type {(() => void) | undefined} */
    release: (() => void) | undefined;
    /** @type {AbortController | undefined} */
    asking: AbortController | undefined;
    /**
     * @param {Pick<Environment, 'locks' | 'BroadcastChannel' | 'id' | 'wall'>} env
     * @param {string} name Of those that belong together.
     * @param {Heard} heard
     */
    constructor(env: Pick<Environment, 'locks' | 'BroadcastChannel' | 'id' | 'wall'>, name: string, heard: Heard);
    get leads(): boolean;
    join(): void;
    /** Another tab may lead. */
    leave(): void;
    /**
     * The leader tells the others.
     * @param {unknown} frame
     */
    tell(frame: unknown): void;
    /** @param {unknown} command */
    ask(command: unknown): void;
    nudge(): void;
    /**
     * @param {string} kind
     * @param {object} [more]
     */
    say(kind: string, more?: object): void;
    /** @param {any} said */
    hear(said: any): void;
    /** @param {any} said */
    hearAsLeader(said: any): void;
}
