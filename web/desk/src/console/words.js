// What the server's words are called here. A word that a later server has is shown as it is. Pure.

import { plain } from '../../../client/src/pages/attachments.js';

/** @typedef {{ code: string, message: string, field?: string } & Record<string, any>} WireError */

/** @type {Record<string, (error: WireError) => string>} */
const REFUSED = {
  offer_gone: ({ end }) => OFFER_ENDS[end] ?? 'The offer has ended.',
  no_such_offer: () => 'The offer has ended.',
  not_your_offer: () => 'The offer is another agent’s.',
  not_yours: () => 'This conversation is not yours any more.',
  no_such_conversation: () => 'This conversation is gone.',
  wrong_state: ({ state }) => (state === 'closed' ? 'The conversation is closed.' : state === 'wrap_up' ? 'The conversation has ended.' : 'That cannot be done now.'),
  label_missing: ({ field }) => `${labelName(field)} is missing.`,
  bad_label: ({ field, message }) => `${labelName(field)}: ${message}`,
  no_more_time: () => 'Wrap-up cannot be extended any more.',
  agent_unable: ({ rule }) => `That agent cannot take it: ${words(rule ?? 'unknown')}.`,
  no_such_agent: () => 'There is no such agent.',
  no_such_queue: () => 'There is no such queue.',
  queue_full: () => 'That queue is full.',
  queue_closed: () => 'That queue is closed now.',
  queue_draining: () => 'That queue takes nothing new in.',
  pick_not_allowed: () => 'Nobody may pick from that queue.',
  already_there: () => 'That agent is there already.',
  nobody_joined: () => 'Nobody has joined.',
  too_large: () => 'This is too long.',
  too_many: () => 'Too much waits for the connection.',
  file_refused: () => 'Refused by the check for harmful files.',
  forbidden: () => 'You may not do that.',
  rate_limited: () => 'That was too fast. Try again in a moment.',
};

/** @type {Record<string, string>} */
const OFFER_ENDS = {
  accepted: 'Accepted.',
  expired: 'The offer went on: its time was over.',
  undelivered: 'The offer went on: it did not reach you in time.',
  withdrawn: 'The offer was taken back.',
  rescinded: 'Another agent took it first.',
  agent_lost: 'The offer went on while you were away.',
};

/**
 * A sentence for somebody who works here.
 * @param {any} error A `Refused`, or its `error`.
 */
export function refusal(error) {
  const told = error?.error ?? error;
  if (typeof told?.code !== 'string') return 'That did not work.';
  return Object.hasOwn(REFUSED, told.code) ? /** @type {any} */ (REFUSED[told.code])(told) : (told.message ?? told.code);
}

/**
 * How an offer ended, where nobody here ended it.
 * @param {string} end
 */
export function offerEnd(end) {
  return Object.hasOwn(OFFER_ENDS, end) ? OFFER_ENDS[end] : undefined;
}

/**
 * `not_mine` -> `Not mine`.
 * @param {string} code
 */
export function title(code) {
  const spaced = words(code);
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}

/** @param {string} code */
export function words(code) {
  return code.replace(/[_-]+/g, ' ').trim();
}

/**
 * `fields.order` -> `Order`; `disposition` -> `Disposition`.
 * @param {string | undefined} field
 */
export function labelName(field) {
  return title((field ?? 'something').replace(/^fields\./, ''));
}

/** Why a conversation is gone. @type {Record<string, string>} */
const GONE = {
  requeued: 'went back to its queue',
  transferred: 'was transferred',
  claimed: 'was claimed by another agent',
  reassigned: 'was given to another agent',
  handed_over: 'was handed over',
  left: 'was left',
};

/**
 * What is said of a conversation that this agent holds no longer; nothing where it did that itself.
 * @param {string} name
 * @param {any} frame `conversation_gone`
 * @returns {string | undefined}
 */
export function goneSaid(name, { cause, wrap_up, by }) {
  if (cause === 'closed') {
    if (wrap_up === 'time_over') return `Wrap-up of ${name} is over.`;
    if (wrap_up === 'ended') return `Wrap-up of ${name} was ended by a supervisor.`;
    return by === 'customer' ? `${name} has ended the conversation.` : by === 'system' ? `${name} was silent, and the conversation is closed.` : undefined;
  }
  const how = Object.hasOwn(GONE, cause) ? GONE[cause] : undefined;
  return how && `${name} ${how}.`;
}

/**
 * What was said, in one line: the text, or else the names of the files.
 * @param {{ text: string, files?: readonly { name: string }[] }} message
 */
export function saidIn({ text, files }) {
  return text || (files ?? []).map(({ name }) => plain(name)).join(', ');
}
