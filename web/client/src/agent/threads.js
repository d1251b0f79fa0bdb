// Of an agent's state: what was said in each conversation. Messages are numbered without gaps, so what is missing is known. Pure.

import { changed } from '../shared/outbox.js';
import { readUpTo } from './held.js';

/**
 * @typedef {import('./state.js').AgentState} AgentState
 * @typedef {import('./state.js').Step} Step
 * @typedef {import('./frames.js').Thread} Thread
 * @typedef {import('./frames.js').Message} Message
 * @typedef {import('./frames.js').Note} Note
 */

/** Somebody who has not typed for so long has stopped. */
const TYPING_MS = 6_000;

/** @type {Thread} */
const EMPTY = { messages: [], notes: [], begins: false, typing: {} };

/**
 * @param {AgentState} state
 * @param {string} id
 * @param {(old: Thread) => Thread} change
 * @returns {AgentState}
 */
function withThread(state, id, change) {
  const old = state.threads[id] ?? EMPTY;
  const next = change(old);
  return next === old ? state : { ...state, threads: { ...state.threads, [id]: next } };
}

/**
 * @template T
 * @param {readonly T[]} old Ascending by `number`.
 * @param {readonly T[]} fresh
 * @param {(one: T) => number} number
 * @returns {readonly T[]} The same array when there is nothing new.
 */
export function joined(old, fresh, number) {
  const [one, two] = fresh;
  const last = old[old.length - 1];
  // What is said now comes behind all that is known, however much that is.
  if (one && !two && (!last || number(one) > number(last))) return [...old, one];
  const known = new Set(old.map(number));
  const added = fresh.filter((one) => !known.has(number(one)) && known.add(number(one)));
  return added.length === 0 ? old : [...old, ...added].sort((a, b) => number(a) - number(b));
}

/**
 * @param {Thread} thread
 * @param {readonly Message[]} fresh
 * @returns {Thread}
 */
function withMessages(thread, fresh) {
  const messages = joined(thread.messages, fresh, (one) => one.number);
  if (messages === thread.messages) return thread;
  return { ...thread, messages, begins: thread.begins || messages[0]?.number === 1 };
}

/**
 * @param {any} told
 * @returns {Message}
 */
const messageOf = ({ number, author, text, at, files, delivery }) => ({ number, author, text, at, ...(files && { files }), ...(delivery && { delivery }) });

/** @type {Step} */
export function message(state, frame) {
  const { conversation: id, number, author, position } = frame;
  let next = withThread(state, id, (old) => {
    const who = author.agent ?? '';
    const { [who]: _, ...typing } = old.typing;
    return withMessages(author.system ? old : { ...old, typing }, [messageOf(frame)]);
  });
  const held = next.conversations[id];
  if (held && held.as_of <= position) {
    const reader = author.agent ? 'agent' : author.customer ? 'customer' : '';
    // Who writes has read what came before, and an owner who writes is no more waited for.
    const { reminded, ...rest } = held;
    const told = { ...rest, ...(reminded && !author.agent && { reminded }), last_number: Math.max(held.last_number, number) };
    next = { ...next, conversations: { ...next.conversations, [id]: { ...told, ...readUpTo(held, reader, number) } } };
  }
  // Our own comes before its answer: it is shown once, by its number. If it was another device's after all, the answer says so.
  const own = author.agent && author.agent === state.agent?.name;
  const twin = own && next.pending.find((one) => isTwin(one, id, frame.text));
  return twin ? { ...next, pending: changed(next.pending, twin.id, { seen: number }) } : next;
}

/** What became of a message that was carried elsewhere. @type {Step} */
export function delivery(held, { conversation: id, number, state, reason }) {
  return withThread(held, id, (old) => {
    const messages = old.messages.map((one) => (one.number === number ? { ...one, delivery: { state, ...(reason !== undefined && { reason }) } } : one));
    return { ...old, messages };
  });
}

/**
 * @param {import('../shared/outbox.js').Entry} entry
 * @param {string} conversation
 * @param {string} text
 */
function isTwin({ command, state, seen }, conversation, text) {
  return state === 'sent' && seen === undefined && command.type === 'send' && command.conversation === conversation && command.text === text;
}

/** The answer to our own message, which may have come without its delta. @type {Step} */
export function sent(state, { command, number, at }) {
  const { conversation: id, text, files } = command;
  if (!state.conversations[id] || !state.agent) return state;
  const next = withThread(state, id, (old) => withMessages(old, [messageOf({ number, author: { agent: state.agent?.name ?? '' }, text, at, files })]));
  const held = next.conversations[id];
  if (!held || held.last_number >= number) return next;
  return { ...next, conversations: { ...next.conversations, [id]: { ...held, last_number: number } } };
}

/** @type {Step} */
export function history(state, { command, messages = [], more }) {
  const { conversation: id, after } = command;
  return withThread(state, id, (old) => {
    const next = withMessages(old, messages.map(messageOf));
    // Asked for from the end or backwards, and no more: it begins here.
    const begins = next.begins || (after === undefined && more === false);
    return begins === next.begins ? next : { ...next, begins };
  });
}

/** @type {Step} */
export function note(state, frame) {
  const { conversation: id, note: number, author, after, text, at, files } = frame;
  return withNotes(state, id, [{ note: number, author: author ?? null, after, text, at, ...(files && { files }) }]);
}

/** @type {Step} */
export function noted(state, { command, note: number, at }) {
  const { conversation: id, text, files } = command;
  const after = state.conversations[id]?.last_number ?? 0;
  return withNotes(state, id, [{ note: number, author: state.agent?.name ?? null, after, text, at, ...(files && { files }) }]);
}

/** @type {Step} */
export function notes(state, { command, notes: page = [] }) {
  return withNotes(state, command.conversation, page);
}

/**
 * @param {AgentState} state
 * @param {string} id
 * @param {readonly Note[]} fresh
 */
function withNotes(state, id, fresh) {
  return withThread(state, id, (old) => {
    const all = joined(old.notes, fresh, (one) => one.note);
    return all === old.notes ? old : { ...old, notes: all };
  });
}

/** @type {Step} */
export function typing(state, { conversation: id, agent = '', heard_at }) {
  return withThread(state, id, (old) => ({ ...old, typing: { ...old.typing, [agent]: heard_at + TYPING_MS } }));
}

/**
 * @param {AgentState} state
 * @param {string} id
 * @returns {AgentState}
 */
export function forgotten(state, id) {
  const { [id]: gone, ...threads } = state.threads;
  return gone ? { ...state, threads } : state;
}

/**
 * Threads of what is not held any more go, once all pages have told what is.
 * @param {AgentState} state
 * @returns {AgentState}
 */
export function keptFor(state) {
  if (!state.complete) return state;
  const offered = new Set(Object.values(state.offers).map((one) => one.conversation.conversation));
  const threads = Object.entries(state.threads).filter(([id]) => state.conversations[id] || offered.has(id));
  return { ...state, threads: Object.fromEntries(threads) };
}

/**
 * From where on messages of a conversation are missing: the last number before the first gap behind what is known; nothing where none is.
 * @param {AgentState} state
 * @param {string} id
 * @returns {number | undefined}
 */
export function missing(state, id) {
  const known = state.threads[id]?.messages ?? [];
  const last = state.conversations[id]?.last_number ?? 0;
  const first = known[0];
  if (!first) return undefined;
  let reached = first.number - 1;
  for (const one of known) {
    if (one.number !== reached + 1) return reached;
    reached = one.number;
  }
  return reached < last ? reached : undefined;
}

/**
 * What a page shows of a conversation: its messages, and behind them what was written and is not answered.
 * @param {AgentState} state
 * @param {string} id
 * @returns {{ messages: readonly Message[], pending: import('../shared/outbox.js').Entry[] }}
 */
export function shown(state, id) {
  const pending = state.pending.filter(({ command, seen }) => command.type === 'send' && command.conversation === id && seen === undefined);
  return { messages: state.threads[id]?.messages ?? [], pending };
}

/**
 * @param {AgentState} state
 * @param {number} ms
 * @returns {AgentState}
 */
export function shifted(state, ms) {
  const later = (/** @type {Record<string, number>} */ all) => Object.fromEntries(Object.entries(all).map(([who, at]) => [who, at + ms]));
  const threads = Object.entries(state.threads).map(([id, thread]) => [id, { ...thread, typing: later(thread.typing) }]);
  return { ...state, threads: Object.fromEntries(threads) };
}
