export type Environment = import('./environment.js').Environment;
export declare class Clock {
    env: Pick<import("./environment.js").Environment, "monotonic" | "wall">;
    last: {
        monotonic: number;
        wall: number;
    };
    /** What the monotonic clock left out, since many stand still while the machine sleeps. */
    asleep: number;
    woke: boolean;
    /** @param {Pick<Environment, 'monotonic' | 'wall'>} env */
    constructor(env: Pick<Environment, 'monotonic' | 'wall'>);
    /** Milliseconds, never back, with the time that the machine slept. */
    now(): number;
    /** Whether the machine slept since this was asked last. */
    takeWoke(): boolean;
}
export declare class Alarms {
    env: Pick<import("./environment.js").Environment, "clearTimeout" | "setTimeout">;
    clock: Clock;
    /** @type {Map<string, { due: number, run: () => void }>} */
    set: Map<string, {
        due: number;
        run: () => void;
    }>;
    /** @type {unknown} */
    timer: unknown;
    /**
     * @param {Pick<Environment, 'setTimeout' | 'clearTimeout'>} env
     * @param {Clock} clock
     */
    constructor(env: Pick<Environment, 'setTimeout' | 'clearTimeout'>, clock: Clock);
    /**
     * One alarm of each name.
     * @param {string} name
     * @param {number} due On the client's clock.
     * @param {() => void} run
     */
    at(name: string, due: number, run: () => void): void;
    /** @param {string} name */
    clear(name: string): void;
    clearAll(): void;
    /** @param {string} name */
    dueOf(name: string): number | undefined;
    /** Runs what is due. Called by the timer, and by whatever else happens. */
    tick(): void;
    wind(): void;
}
