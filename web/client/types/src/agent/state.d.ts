export type Frame = import('./frames.js').Frame;
export type Entry = import('../shared/outbox.js').Entry;
export type Link = {
    /**
     * `waiting`: it comes back at `retry_at`. `stopped`: it does not, `why` says why.
     */
    phase: 'idle' | 'connecting' | 'live' | 'waiting' | 'stopped';
    /**
     * On the client's clock.
     */
    retry_at?: number;
    why?: string;
    code?: number;
};
export type Watched = {
    /**
     * By name.
     */
    rows: Readonly<Record<string, any>>;
    /**
     * The server is short of memory, and tells no changes for now.
     */
    paused: boolean;
    /**
     * Of a sheet of agents: who is on it, in order.
     */
    names?: readonly string[];
    /**
     * How many would be on it, were it as long as that.
     */
    matching?: number;
    /**
     * All agents, by connection and status.
     */
    totals?: readonly {
        connection: string;
        status: string;
        available: boolean;
        agents: number;
    }[];
};
export type AgentState = {
    link: Link;
    /**
     * What is shown is as of the last connection.
     */
    stale: boolean;
    /**
     * All pages of the snapshot have come.
     */
    complete: boolean;
    session?: string;
    agent?: {
        name: string;
        title: string;
        role: string;
    };
    workspace?: string;
    settings?: import('./frames.js').Settings;
    /**
     * The last that was heard of.
     */
    position: number;
    /**
     * Deltas up to here are in the snapshot.
     */
    void_to: number;
    /**
     * Of the next page of the snapshot.
     */
    cursor?: string;
    /**
     * As the person chose it; nothing in this library chooses.
     */
    status?: string;
    available?: boolean;
    channels?: readonly string[];
    connection?: string;
    next_status?: string | null;
    draining: boolean;
    offers: Readonly<Record<string, import('./frames.js').Offer>>;
    conversations: Readonly<Record<string, import('./frames.js').Conversation>>;
    threads: Readonly<Record<string, import('./frames.js').Thread>>;
    /**
     * What was written and is not answered.
     */
    pending: readonly Entry[];
    /**
     * By `queues` and `agents`.
     */
    watched: Readonly<Record<string, Watched>>;
    /**
     * Frames that were not understood.
     */
    ignored: number;
};
/**
 * @typedef {import('./frames.js').Frame} Frame
 * @typedef {import('../shared/outbox.js').Entry} Entry
 *
 * @typedef {object} Link How the connection is.
 * @property {'idle' | 'connecting' | 'live' | 'waiting' | 'stopped'} phase `waiting`: it comes back at `retry_at`. `stopped`: it does not, `why` says why.
 * @property {number} [retry_at] On the client's clock.
 * @property {string} [why]
 * @property {number} [code]
 *
 * @typedef {object} Watched
 * @property {Readonly<Record<string, any>>} rows By name.
 * @property {boolean} paused The server is short of memory, and tells no changes for now.
 * @property {readonly string[]} [names] Of a sheet of agents: who is on it, in order.
 * @property {number} [matching] How many would be on it, were it as long as that.
 * @property {readonly { connection: string, status: string, available: boolean, agents: number }[]} [totals] All agents, by connection and status.
 *
 * @typedef {object} AgentState
 * @property {Link} link
 * @property {boolean} stale What is shown is as of the last connection.
 * @property {boolean} complete All pages of the snapshot have come.
 * @property {string} [session]
 * @property {{ name: string, title: string, role: string }} [agent]
 * @property {string} [workspace]
 * @property {import('./frames.js').Settings} [settings]
 * @property {number} position The last that was heard of.
 * @property {number} void_to Deltas up to here are in the snapshot.
 * @property {string} [cursor] Of the next page of the snapshot.
 * @property {string} [status] As the person chose it; nothing in this library chooses.
 * @property {boolean} [available]
 * @property {readonly string[]} [channels]
 * @property {string} [connection]
 * @property {string | null} [next_status]
 * @property {boolean} draining
 * @property {Readonly<Record<string, import('./frames.js').Offer>>} offers
 * @property {Readonly<Record<string, import('./frames.js').Conversation>>} conversations
 * @property {Readonly<Record<string, import('./frames.js').Thread>>} threads
 * @property {readonly Entry[]} pending What was written and is not answered.
 * @property {Readonly<Record<string, Watched>>} watched By `queues` and `agents`.
 * @property {number} ignored Frames that were not understood.
 */
/** @returns {AgentState} */
export declare function initial(): AgentState;
export type Step = (state: AgentState, frame: Frame) => AgentState;
/**
 * @param {AgentState} state
 * @param {Frame} frame
 * @returns {AgentState}
 */
export declare function reduce(state: AgentState, frame: Frame): AgentState;
/**
 * The same as of another tab's clock.
 * @param {AgentState} state
 * @param {number} ms To add to each time on the client's clock.
 * @returns {AgentState}
 */
export declare function shifted(state: AgentState, ms: number): AgentState;
export { left } from './held.js';
export { missing, shown } from './threads.js';
