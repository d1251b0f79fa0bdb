export type AgentState = import('./state.js').AgentState;
export type Step = import('./state.js').Step;
export type Thread = import('./frames.js').Thread;
export type Message = import('./frames.js').Message;
export type Note = import('./frames.js').Note;
/**
 * @template T
 * @param {readonly T[]} old Ascending by `number`.
 * @param {readonly T[]} fresh
 * @param {(one: T) => number} number
 * @returns {readonly T[]} The same array when there is nothing new.
 */
export declare function joined<T>(old: readonly T[], fresh: readonly T[], number: (one: T) => number): readonly T[];
/** @type {Step} */
export declare function message(state: import("./state.js").AgentState, frame: import("./frames.js").Frame): import("./state.js").AgentState;
/** What became of a message that was carried elsewhere. @type {Step} */
export declare function delivery(held: import("./state.js").AgentState, { conversation: id, number, state, reason }: import("./frames.js").Frame): import("./state.js").AgentState;
/** The answer to our own message, which may have come without its delta. @type {Step} */
export declare function sent(state: import("./state.js").AgentState, { command, number, at }: import("./frames.js").Frame): import("./state.js").AgentState;
/** @type {Step} */
export declare function history(state: import("./state.js").AgentState, { command, messages, more }: import("./frames.js").Frame): import("./state.js").AgentState;
/** @type {Step} */
export declare function note(state: import("./state.js").AgentState, frame: import("./frames.js").Frame): import("./state.js").AgentState;
/** @type {Step} */
export declare function noted(state: import("./state.js").AgentState, { command, note: number, at }: import("./frames.js").Frame): import("./state.js").AgentState;
/** @type {Step} */
export declare function notes(state: import("./state.js").AgentState, { command, notes: page }: import("./frames.js").Frame): import("./state.js").AgentState;
/** @type {Step} */
export declare function typing(state: import("./state.js").AgentState, { conversation: id, agent, heard_at }: import("./frames.js").Frame): import("./state.js").AgentState;
/**
 * @param {AgentState} state
 * @param {string} id
 * @returns {AgentState}
 */
export declare function forgotten(state: AgentState, id: string): AgentState;
/**
 * Threads of what is not held any more go, once all pages have told what is.
 * @param {AgentState} state
 * @returns {AgentState}
 */
export declare function keptFor(state: AgentState): AgentState;
/**
 * From where on messages of a conversation are missing: the last number before the first gap behind what is known; nothing where none is.
 * @param {AgentState} state
 * @param {string} id
 * @returns {number | undefined}
 */
export declare function missing(state: AgentState, id: string): number | undefined;
/**
 * What a page shows of a conversation: its messages, and behind them what was written and is not answered.
 * @param {AgentState} state
 * @param {string} id
 * @returns {{ messages: readonly Message[], pending: import('../shared/outbox.js').Entry[] }}
 */
export declare function shown(state: AgentState, id: string): {
    messages: readonly Message[];
    pending: import('../shared/outbox.js').Entry[];
};
/**
 * @param {AgentState} state
 * @param {number} ms
 * @returns {AgentState}
 */
export declare function shifted(state: AgentState, ms: number): AgentState;
