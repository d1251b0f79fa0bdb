// What a thread shows, in order: messages with what belongs together kept together, notes where they were written, days, and behind all that
// what is not answered yet. In blocks, so that a long thread is described piece by piece. Pure.

import { dayNumber } from '../shared/time.js';

/**
 * @typedef {import('../../../client/src/agent/frames.js').Message} Message
 * @typedef {import('../../../client/src/agent/frames.js').Note} Note
 * @typedef {import('../../../client/src/agent/frames.js').Thread} Thread
 *
 * @typedef {{ kind: 'day', key: string, at: number }} Day
 * @typedef {{ kind: 'gap', key: string }} Gap Messages that are on their way.
 * @typedef {{ kind: 'message', key: string, message: Message, first: boolean, last: boolean }} Said `first`, `last`: of a run by one author.
 * @typedef {{ kind: 'note', key: string, note: Note }} Noted
 * @typedef {Day | Gap | Said | Noted} ThreadRow
 *
 * @typedef {object} Block
 * @property {string} key
 * @property {readonly Message[]} messages
 * @property {readonly Note[]} notes Those after one of its messages; of the first block, those before it too.
 * @property {Message | undefined} before The message before its first.
 * @property {Message | undefined} after
 */

export const BLOCK = 50;
/** What is said within so long by the same one belongs together. */
const RUN_MS = 5 * 60_000;

/**
 * Messages from a place on, in blocks that stay the same as more come: each message's number says which one it belongs to.
 * @param {readonly Message[]} messages
 * @param {readonly Note[]} notes
 * @param {number} from Messages with lower numbers are left out.
 * @param {number} [to] And those from here on.
 * @returns {Block[]}
 */
export function blocks(messages, notes, from, to = Infinity) {
  /** @type {Block[]} */
  const out = [];
  let place = messages.findIndex(({ number }) => number >= from);
  if (place < 0) place = messages.length;
  const numberBefore = place > 0 ? (messages[place - 1]?.number ?? 0) : -1;
  let notePlace = notes.findIndex(({ after }) => after > numberBefore);
  if (notePlace < 0) notePlace = notes.length;
  const inside = (/** @type {number} */ at) => /** @type {Message} */ (messages[at]).number < to;
  while (place < messages.length && inside(place)) {
    const first = /** @type {Message} */ (messages[place]);
    const block = Math.floor((first.number - 1) / BLOCK);
    let end = place;
    while (end < messages.length && inside(end) && Math.floor((/** @type {Message} */ (messages[end]).number - 1) / BLOCK) === block) end++;
    const next = messages[end];
    const noteEnd = next ? notes.findIndex(({ after }) => after >= next.number) : -1;
    const until = noteEnd < 0 ? notes.length : noteEnd;
    out.push({ key: `b${block}`, messages: messages.slice(place, end), notes: notes.slice(notePlace, until), before: messages[place - 1], after: next });
    notePlace = Math.max(notePlace, until);
    place = end;
  }
  if (out.length === 0 && notes.length > 0) out.push({ key: 'b0', messages: [], notes, before: undefined, after: undefined });
  return out;
}

/**
 * Whether two blocks show the same, so that one need not be described anew.
 * @param {Block} a
 * @param {Block} b
 */
export function sameBlock(a, b) {
  // Also one in the middle is another when it is known what became of it.
  const said = a.messages.length === b.messages.length && a.messages.every((one, place) => one === b.messages[place]);
  const notes = a.notes.length === b.notes.length && a.notes.every((note, place) => note.note === b.notes[place]?.note);
  return said && notes && a.before?.number === b.before?.number && a.after?.number === b.after?.number;
}

/**
 * @param {Block} block
 * @returns {ThreadRow[]}
 */
export function rowsOf({ messages, notes, before, after }) {
  /** @type {ThreadRow[]} */
  const out = [];
  let notePlace = 0;
  const notesBefore = (/** @type {number} */ number) => {
    for (let note = notes[notePlace]; note && note.after < number; note = notes[++notePlace]) out.push({ kind: 'note', key: `n${note.note}`, note });
  };
  messages.forEach((message, place) => {
    const last = place > 0 ? messages[place - 1] : before;
    const next = messages[place + 1] ?? after;
    notesBefore(message.number);
    if (last && last.number + 1 !== message.number) out.push({ kind: 'gap', key: `g${message.number}` });
    const newDay = !last || dayNumber(last.at) !== dayNumber(message.at);
    if (newDay) out.push({ kind: 'day', key: `d${message.number}`, at: message.at });
    const apart = (/** @type {Message | undefined} */ other) =>
      !other || authorKey(other) !== authorKey(message) || Math.abs(other.at - message.at) > RUN_MS || dayNumber(other.at) !== dayNumber(message.at);
    const noteBetween = out.at(-1)?.kind === 'note';
    const noteNext = notes[notePlace]?.after === message.number;
    out.push({ kind: 'message', key: `m${message.number}`, message, first: newDay || noteBetween || apart(last), last: noteNext || apart(next) });
  });
  notesBefore(Infinity);
  return out;
}

/** @param {Message} message */
export function authorKey({ author }) {
  if ('agent' in author) return `agent ${author.agent}`;
  return 'customer' in author ? 'customer' : 'system';
}
