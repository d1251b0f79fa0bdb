export type AgentState = import('./state.js').AgentState;
export type Frame = import('./frames.js').Frame;
export type Conversation = import('./frames.js').Conversation;
export type Offer = import('./frames.js').Offer;
/**
 * @typedef {import('./state.js').AgentState} AgentState
 * @typedef {import('./frames.js').Frame} Frame
 * @typedef {import('./frames.js').Conversation} Conversation
 * @typedef {import('./frames.js').Offer} Offer
 */
/**
 * Milliseconds until a time on the client's clock, for showing.
 * @param {number | undefined} at
 * @param {number} now
 */
export declare function left(at: number | undefined, now: number): number;
/**
 * What the snapshot tells is all there is; or, where it goes on behind a cursor, what was there before stays, marked, until the last page.
 * @param {AgentState} state
 * @param {any} told
 * @param {Frame} frame
 * @returns {AgentState}
 */
export declare function snapshot(state: AgentState, told: any, frame: Frame): AgentState;
/**
 * @param {AgentState} state
 * @param {Frame} frame With `offers`, `conversations` and a `cursor`, at its own `position`.
 * @returns {AgentState}
 */
export declare function page(state: AgentState, frame: Frame): AgentState;
/** @type {import('./state.js').Step} */
export declare function offer(state: import("./state.js").AgentState, { offer: told, heard_at, position }: import("./frames.js").Frame): import("./state.js").AgentState;
/** @type {import('./state.js').Step} */
export declare function offerDelivered(state: import("./state.js").AgentState, { offer: id, auto_accept_left_ms, heard_at, position }: import("./frames.js").Frame): import("./state.js").AgentState;
/** @type {import('./state.js').Step} */
export declare function offerEnded(state: import("./state.js").AgentState, { offer: id }: import("./frames.js").Frame): import("./state.js").AgentState;
/** @type {import('./state.js').Step} */
export declare function conversation(state: import("./state.js").AgentState, { conversation: told, heard_at, position }: import("./frames.js").Frame): import("./state.js").AgentState;
/** @type {import('./state.js').Step} */
export declare function conversationGone(state: import("./state.js").AgentState, { conversation: id }: import("./frames.js").Frame): import("./state.js").AgentState;
/**
 * A step that changes some members of one conversation, where it is held and nothing newer is known of it.
 * @param {(old: Conversation, frame: Frame) => Partial<Conversation>} change
 * @returns {import('./state.js').Step}
 */
export declare function patched(change: (old: Conversation, frame: Frame) => Partial<Conversation>): import('./state.js').Step;
/** @type {import('./state.js').Step} */
export declare const wrapUp: import('./state.js').Step;
/**
 * @param {Conversation} old
 * @param {Frame} frame
 * @returns {Partial<Conversation>}
 */
export declare function clocks(old: Conversation, { clock, state, due }: Frame): Partial<Conversation>;
/**
 * @param {Conversation} old
 * @param {string} reader
 * @param {number} number
 * @returns {Partial<Conversation>}
 */
export declare function readUpTo(old: Conversation, reader: string, number: number): Partial<Conversation>;
/**
 * @param {AgentState} state
 * @param {number} ms
 * @returns {AgentState}
 */
export declare function shifted(state: AgentState, ms: number): AgentState;
