// What an agent's client knows, as a value: `reduce(state, frame)` gives the next one and changes nothing. Frames are the server's, as of
// docs/wire.md, and the client's own (`local.…`), which say what became of the connection and of what a person did. A frame that is unknown,
// or has not the shape that it should, leaves the state as it is and is counted.

import { answered, changed, queued, unsent } from '../shared/outbox.js';
import { wellFormed } from './frames.js';
import * as held from './held.js';
import * as threads from './threads.js';

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
export function initial() {
  return {
    link: { phase: 'idle' },
    stale: true,
    complete: false,
    position: 0,
    void_to: 0,
    draining: false,
    offers: {},
    conversations: {},
    threads: {},
    pending: [],
    watched: {},
    ignored: 0,
  };
}

/** @typedef {(state: AgentState, frame: Frame) => AgentState} Step */

/** @type {Record<string, Step>} */
const STEPS = {
  status: (state, { status, available, channels, connection }) => ({ ...state, status, available, channels, connection }),
  next_status: (state, { status }) => ({ ...state, next_status: status ?? null }),
  draining: (state, { draining }) => ({ ...state, draining }),
  offer: held.offer,
  offer_delivered: held.offerDelivered,
  offer_ended: (state, frame) => {
    const next = held.offerEnded(state, frame);
    return next.conversations[frame.conversation] ? next : threads.forgotten(next, frame.conversation);
  },
  conversation: held.conversation,
  conversation_ended: held.conversation,
  conversation_gone: (state, frame) => threads.forgotten(held.conversationGone(state, frame), frame.conversation),
  wrap_up: held.wrapUp,
  transfer: held.patched((_, { agent }) => ({ transfer_to: agent })),
  transfer_ended: held.patched((_, { agent, end }) => ({ transfer_to: undefined, ...(end === 'accepted' && { joined: agent }) })),
  left: held.patched(({ joined }, { agent }) => ({ joined: joined === agent ? undefined : joined })),
  paused: held.patched((_, { paused, weight_percent }) => ({ paused_weight_percent: paused ? weight_percent : undefined })),
  labelled: held.patched((_, { labels }) => ({ labels })),
  described: held.patched((_, { name, metadata }) => ({ name, metadata })),
  rated: held.patched((_, { score, comment }) => ({ rating: { score, ...(comment !== undefined && { comment }) } })),
  reminder: held.patched(() => ({ reminded: true })),
  clock: held.patched(held.clocks),
  read: held.patched((old, { reader, number }) => held.readUpTo(old, reader, number)),
  message: threads.message,
  delivery: threads.delivery,
  note: threads.note,
  typing: threads.typing,
  queues: rows,
  agents: rows,
  watching: (state, { what, paused }) => watched(state, what, (old) => ({ ...old, paused })),
  reply,
};

/** What the client tells itself. @type {Record<string, Step>} */
const LOCAL = {
  'local.link': (state, { link }) => ({
    ...state,
    link,
    stale: link.phase !== 'live' || state.stale,
    pending: link.phase === 'live' ? state.pending : unsent(state.pending),
  }),
  'local.queued': (state, { entry }) => ({ ...state, pending: queued(state.pending, entry) }),
  'local.sent': (state, { id }) => ({ ...state, pending: changed(state.pending, id, { state: 'sent' }) }),
  'local.waits': (state, { id }) => ({ ...state, pending: changed(state.pending, id, { state: 'waiting' }) }),
  // The state came from another tab, whole.
  'local.joined': (state) => state,
  'local.discarded': (state, { id }) => ({ ...state, pending: answered(state.pending, id) }),
};

/**
 * @param {AgentState} state
 * @param {Frame} frame
 * @returns {AgentState}
 */
export function reduce(state, frame) {
  const local = Object.hasOwn(LOCAL, frame?.type) ? LOCAL[frame.type] : undefined;
  if (local) return local(state, frame);
  if (!wellFormed(frame)) return { ...state, ignored: state.ignored + 1 };
  if (frame.type === 'welcome' || frame.type === 'snapshot') return snapshot(state, frame);
  const position = typeof frame.position === 'number' ? frame.position : undefined;
  // A reply is never void: it is the answer to a question.
  if (frame.type !== 'reply' && position !== undefined && position <= state.void_to) return state;
  const next = STEPS[frame.type]?.(state, frame) ?? state;
  return position !== undefined && position > next.position ? { ...next, position } : next;
}

/** @type {Step} */
function snapshot(state, frame) {
  const { position, snapshot: told } = frame;
  const welcomed = frame.type === 'welcome';
  /** @type {AgentState} */
  const next = {
    ...state,
    ...(welcomed && {
      session: frame.session,
      agent: frame.agent,
      workspace: frame.workspace,
      settings: frame.settings,
      // Another server's journal may be younger: positions begin anew with each connection.
      watched: {},
    }),
    stale: false,
    position,
    void_to: position,
    status: told.status,
    available: told.available,
    channels: told.channels,
    connection: told.connection,
    next_status: told.next_status ?? null,
    draining: told.draining ?? false,
  };
  return threads.keptFor(held.snapshot(next, told, frame));
}

/** @type {Step} */
function reply(state, frame) {
  const { id, error, command } = frame;
  let next = state;
  const pending = answered(state.pending, id, error);
  if (pending !== state.pending) next = { ...next, pending };
  if (error || !command) return next;
  switch (command.type) {
    case 'send':
      return threads.sent(next, frame);
    case 'note':
      return threads.noted(next, frame);
    case 'history':
      return threads.history(next, frame);
    case 'notes':
      return threads.notes(next, frame);
    case 'own':
      return threads.keptFor(held.page(next, frame));
    case 'watch':
      return watched(next, command.what, (old) => begun(command, old, frame));
    case 'unwatch':
      return { ...next, watched: Object.fromEntries(Object.entries(next.watched).filter(([what]) => what !== command.what)) };
    default:
      return next;
  }
}

/** @type {Step} */
function rows(state, frame) {
  return watched(state, frame.type, (old) => seen(frame.type, old, frame));
}

/**
 * A page that is watched from now on. Pages in the order of names may be gathered; a sheet takes the place of what was there.
 * @param {any} command
 * @param {Watched} old
 * @param {any} frame
 * @returns {Watched}
 */
function begun({ what, order }, old, { rows = [], matching, totals }) {
  const { paused } = old;
  if (order === undefined) return seen(what, { rows: old.names ? {} : old.rows, paused }, { rows });
  return seen(what, { rows: {}, paused }, { rows, names: rows.map((/** @type {any} */ row) => row.agent), matching, totals });
}

/**
 * Rows that are new; of a sheet, who is on it now, in order, and how many there are.
 * @param {string} what
 * @param {Watched} old
 * @param {any} frame
 * @returns {Watched}
 */
function seen(what, old, { rows = [], names = old.names, matching = old.matching, totals = old.totals }) {
  const all = { ...old.rows, ...byName(what, rows) };
  const kept = names ? Object.fromEntries(names.filter((/** @type {string} */ name) => Object.hasOwn(all, name)).map((/** @type {string} */ name) => [name, all[name]])) : all;
  return { ...old, rows: kept, ...(names && { names, matching, totals }) };
}


/**
 * @param {AgentState} state
 * @param {string} what
 * @param {(old: Watched) => Watched} change
 * @returns {AgentState}
 */
function watched(state, what, change) {
  const old = state.watched[what] ?? { rows: {}, paused: false };
  return { ...state, watched: { ...state.watched, [what]: change(old) } };
}

/**
 * @param {string} what
 * @param {any[]} list
 */
function byName(what, list) {
  return Object.fromEntries(list.map((row) => [what === 'queues' ? row.queue : row.agent, row]));
}

/**
 * The same as of another tab's clock.
 * @param {AgentState} state
 * @param {number} ms To add to each time on the client's clock.
 * @returns {AgentState}
 */
export function shifted(state, ms) {
  const link = state.link.retry_at === undefined ? state.link : { ...state.link, retry_at: state.link.retry_at + ms };
  return threads.shifted(held.shifted({ ...state, link }, ms), ms);
}

export { left } from './held.js';
export { missing, shown } from './threads.js';
