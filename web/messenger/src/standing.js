// How a conversation stands, in words: one line under the heading, a banner when what is shown may be old, and what may be done. Pure.

import { fill } from './words.js';

const MINUTE_MS = 60_000;
/** After these of the workspace's own messages nobody is there to answer. */
const ALONE = new Set(['nobody_there', 'out_of_hours', 'waited_too_long']);

/**
 * @param {import('../../client/src/messenger/state.js').MessengerState} state
 * @param {number} now On the client's clock.
 * @param {import('./words.js').Words} words
 * @param {{ language: string | undefined, time: (at: number) => string }} speaking
 * @returns {{ fact: string, banner: string, typing: string, goesOn: boolean, isOver: boolean, isAlone: boolean }}
 */
export function standing(state, now, words, { language, time }) {
  const { conversation, link, stale, last_event } = state;
  const none = { fact: '', banner: '', typing: '', goesOn: false, isOver: false, isAlone: false };
  if (!conversation) return none;
  const { state: is, agent, agent_connection, place, estimate, opens_at } = conversation;
  // Of one that was begun just now there is nothing yet that could be old.
  const isOld = stale && (last_event > 0 || link.phase === 'offline');
  const banner = link.phase === 'stopped' ? words.stopped : isOld ? words.connecting : '';
  if (link.phase === 'stopped' || is === 'closed') return { ...none, banner: is === 'closed' ? '' : banner, isOver: true };
  if (is === 'active' && agent) {
    const away = agent_connection !== undefined && agent_connection !== 'online';
    const typing = state.typing_until > now ? fill(words.typing, agent.title) : '';
    return { ...none, fact: fill(away ? words.away : words.with, agent.title), banner, typing, goesOn: true };
  }
  // Whoever has left a message does not sit here and wait.
  if (conversation.message) return { ...none, fact: words.taken, banner, goesOn: true };
  const last = state.messages.at(-1)?.notice;
  const isAlone = opens_at !== undefined || (last !== undefined && ALONE.has(last));
  if (opens_at) return { ...none, fact: fill(words.opens, time(opens_at)), banner, goesOn: true, isAlone };
  // What was true a while ago is no place and no estimate now.
  const known = place !== undefined && !stale ? fill(words.place, place) + (estimate ? `. ${usual(estimate, words, language)}` : '') : words.queued;
  return { ...none, fact: known, banner, goesOn: true, isAlone };
}

/**
 * How long it takes.
 * @param {{ p50_ms: number, p90_ms: number }} estimate
 * @param {import('./words.js').Words} words
 * @param {string | undefined} language
 */
export function usual({ p50_ms, p90_ms }, words, language) {
  const minutes = (/** @type {number} */ ms) =>
    new Intl.NumberFormat(language, { style: 'unit', unit: 'minute', unitDisplay: 'long' }).format(Math.max(1, Math.ceil(ms / MINUTE_MS)));
  return fill(words.wait, minutes(p50_ms), minutes(p90_ms));
}

/**
 * What an empty conversation says, by what is known of who is there.
 * @param {import('../../client/src/messenger/state.js').Reception | undefined} reception
 * @param {{ greeting: string, offline: string | undefined }} own Words of the workspace's own.
 * @param {import('./words.js').Words} words
 * @param {{ language: string | undefined, time: (at: number) => string }} speaking
 * @returns {string}
 */
export function welcome(reception, { greeting, offline }, words, { language, time }) {
  if (!reception) return greeting;
  const { refused, message, opens_at, estimate } = reception;
  if (refused === undefined) return estimate ? `${greeting}\n${usual(estimate, words, language)}` : greeting;
  if (offline) return offline;
  if (refused === 'queue_full' && !message) return words.queue_full;
  if (opens_at) return fill(message ? words.offline_until : words.closed_until, time(opens_at));
  return message ? words.offline : words.nobody_there;
}
