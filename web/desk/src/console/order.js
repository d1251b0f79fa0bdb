// Which conversations an agent has, in the order in which they ask for something: who waits for an answer first, the longest first. Pure.

import { saidIn } from './words.js';

/**
 * @typedef {import('../../../client/src/agent/state.js').AgentState} AgentState
 * @typedef {import('../../../client/src/agent/frames.js').Conversation} Conversation
 * @typedef {import('../../../client/src/agent/frames.js').Thread} Thread
 * @typedef {import('../../../client/src/agent/frames.js').Message} Message
 *
 * @typedef {'needs' | 'wrap_up' | 'open' | 'paused'} Part
 *
 * @typedef {object} Row What the list shows of one.
 * @property {string} id
 * @property {Part} part
 * @property {string} name Of its customer, or what stands for it.
 * @property {string} channel
 * @property {string} queue
 * @property {string} last What was said last, on one line; empty where nobody has looked yet.
 * @property {'customer' | 'me' | 'agent' | 'system' | ''} by Who said it.
 * @property {number} at Unix ms: when, or since when it is there.
 * @property {number} unread Messages that nobody here has read.
 * @property {number | undefined} waitsSince Unix ms: since when its customer waits for an answer.
 * @property {boolean} late A clock of service was breached, or the server has reminded of it.
 * @property {number | undefined} wrapUpEndsAt On the client's clock.
 * @property {boolean} guest It is another agent's, and this one has joined.
 * @property {boolean} typing
 * @property {boolean} failed Something that was written was refused.
 */

export const PARTS = /** @type {const} */ (['needs', 'wrap_up', 'open', 'paused']);
export const PART_TITLES = { needs: 'Needs you', wrap_up: 'Wrap-up', open: 'Open', paused: 'Paused' };

/**
 * What a customer is called: by its name, or by what its page or channel told, or by its conversation.
 * @param {Pick<Conversation, 'name' | 'metadata' | 'conversation'>} conversation
 */
export function nameOf({ name, metadata, conversation }) {
  return name?.trim() || metadata.name || metadata.email || `Visitor ${conversation}`;
}

/**
 * @param {Conversation} conversation
 * @param {Thread | undefined} thread
 * @returns {Message | undefined} The last message, where it is known.
 */
function lastOf({ last_number }, thread) {
  const last = thread?.messages.at(-1);
  return last?.number === last_number ? last : undefined;
}

/**
 * Since when the customer waits for an answer of whoever talks here: the first of its messages after the last that was an agent's.
 * @param {Conversation} conversation
 * @param {Thread | undefined} thread
 * @returns {number | undefined} Unix ms.
 */
export function waitsSince(conversation, thread) {
  if (conversation.state !== 'active') return undefined;
  const last = lastOf(conversation, thread);
  if (last && thread) {
    let since;
    for (let place = thread.messages.length - 1; place >= 0; place--) {
      const { author, at } = /** @type {Message} */ (thread.messages[place]);
      if ('agent' in author) break;
      if ('customer' in author) since = at;
    }
    return since;
  }
  // Nobody has looked yet: what the server tells of it has to do.
  const clock = conversation.clocks?.find((one) => one.clock === 'next_reply' || one.clock === 'first_reply');
  if (clock?.since !== undefined) return clock.since;
  return conversation.read_by_agent < conversation.last_number ? conversation.waiting_since : undefined;
}

/**
 * @param {AgentState} state
 * @param {Conversation} conversation
 * @param {number} now On the client's clock.
 * @returns {Row}
 */
export function rowOf(state, conversation, now) {
  const { conversation: id, channel, queue, owner, last_number, read_by_agent } = conversation;
  const thread = state.threads[id];
  const last = lastOf(conversation, thread);
  const me = state.agent?.name;
  const waits = waitsSince(conversation, thread);
  const ends = conversation.state === 'wrap_up';
  const paused = conversation.paused_weight_percent !== undefined;
  const late = conversation.reminded === true || (conversation.clocks ?? []).some((one) => one.state === 'breached');
  const mine = last && 'agent' in last.author && last.author.agent === me;
  return {
    id,
    part: ends ? 'wrap_up' : waits !== undefined || conversation.reminded ? 'needs' : paused ? 'paused' : 'open',
    name: nameOf(conversation),
    channel,
    queue,
    last: last ? oneLine(saidIn(last)) : '',
    by: !last ? '' : 'customer' in last.author ? 'customer' : 'system' in last.author ? 'system' : mine ? 'me' : 'agent',
    at: last?.at ?? conversation.waiting_since,
    unread: ends ? 0 : Math.max(0, last_number - read_by_agent),
    waitsSince: waits,
    late,
    wrapUpEndsAt: conversation.wrap_up_ends_at,
    guest: owner !== null && owner !== me,
    typing: (thread?.typing[''] ?? 0) > now,
    failed: state.pending.some(({ command, state: how }) => how === 'refused' && command.conversation === id),
  };
}

/**
 * @param {AgentState} state
 * @param {number} now On the client's clock.
 * @returns {{ part: Part, rows: Row[] }[]} Parts in which there is something.
 */
export function listed(state, now) {
  const rows = Object.values(state.conversations).map((one) => rowOf(state, one, now));
  return PARTS.map((part) => ({ part, rows: rows.filter((row) => row.part === part).sort(ORDERS[part]) })).filter(({ rows }) => rows.length > 0);
}

/** Of what is alike the older one comes first: numbers only grow. @param {Row} a @param {Row} b */
const byId = (a, b) => Number(a.id.slice(1)) - Number(b.id.slice(1));

/** @type {Record<Part, (a: Row, b: Row) => number>} */
const ORDERS = {
  // The longest wait first; it does not move while one works.
  needs: (a, b) => (a.waitsSince ?? a.at) - (b.waitsSince ?? b.at) || byId(a, b),
  wrap_up: (a, b) => (a.wrapUpEndsAt ?? Infinity) - (b.wrapUpEndsAt ?? Infinity) || byId(a, b),
  open: (a, b) => b.at - a.at || byId(a, b),
  paused: (a, b) => b.at - a.at || byId(a, b),
};

/**
 * Only so much of it as a line can hold.
 * @param {string} text
 */
export function oneLine(text) {
  return text.slice(0, 200).replace(/\s+/g, ' ').trim();
}

/**
 * Whether a row has what somebody looks for in it.
 * @param {Row} row
 * @param {Conversation | undefined} conversation
 * @param {string} wanted
 */
export function matches(row, conversation, wanted) {
  const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
  const { tags = [], disposition = '' } = conversation?.labels ?? {};
  const held = [row.id, row.name, row.queue, row.last, disposition, ...tags, ...Object.values(conversation?.metadata ?? {})].join(' ').toLowerCase();
  return words.every((word) => held.includes(word));
}
