// What a customer's client knows, as a value: `reduce(state, frame)` gives the next one and changes nothing. Frames are the events of the
// stream (docs/wire.md, *The stream*) with their number as `event_id`, and the client's own (`local.…`). What is unknown, or has not the
// shape that it should, leaves the state as it is and is counted.

import { answered, changed, queued, unsent } from '../shared/outbox.js';

/**
 * @typedef {{ type: string, heard_at: number } & Record<string, any>} Frame
 * @typedef {import('../shared/outbox.js').Entry} Entry
 *
 * @typedef {object} Message
 * @property {number} number
 * @property {'customer' | 'agent' | 'system'} author
 * @property {string} [notice] What the workspace itself tells.
 * @property {{ title: string }} [agent]
 * @property {string} text
 * @property {number} at Unix ms.
 * @property {readonly import('../shared/files.js').Attached[]} [files]
 *
 * @typedef {object} Conversation
 * @property {string} conversation
 * @property {string} state `waiting`, `active` or `closed`.
 * @property {string} [queue] Its title.
 * @property {number} [place]
 * @property {number} [opens_at]
 * @property {{ p50_ms: number, p90_ms: number }} [estimate] From when it was told.
 * @property {{ title: string } | null} [agent]
 * @property {string} [agent_connection]
 * @property {number} last_number
 * @property {number} read_by_agent
 * @property {number} read_by_customer
 * @property {number} [opened_at]
 * @property {number} [ended_at] Unix ms.
 * @property {boolean} [message] While it waits: it was left as a message.
 * @property {{ score: number, at: number }} [rating]
 *
 * @typedef {object} Reception
 * @property {boolean} open
 * @property {number} [opens_at] Unix ms.
 * @property {boolean} nobody_there
 * @property {string} [refused] The code with which a start would be refused.
 * @property {boolean} message Then a message may be left.
 * @property {{ p50_ms: number, p90_ms: number }} [estimate]
 *
 * @typedef {object} Link
 * @property {'idle' | 'connecting' | 'live' | 'offline' | 'stopped'} phase `offline`: it comes back at `retry_at`. `stopped`: not by itself, `why` says why.
 * @property {number} [retry_at] On the client's clock.
 * @property {string} [why]
 *
 * @typedef {object} MessengerState
 * @property {Link} link
 * @property {boolean} stale What is shown is as it was last known, and may have changed.
 * @property {boolean} starting A conversation is being begun.
 * @property {Conversation} [conversation]
 * @property {readonly Message[]} messages Ascending; there may be gaps until they are healed.
 * @property {boolean} begins The first message is among them.
 * @property {readonly { event_id: number, type: string, after: number, at?: number, by?: string, queue?: string, agent?: { title: string } }[]} happened
 *   What is shown between messages: joined, left, requeued, moved, ended, reopened; `after` is the number of the message before it.
 * @property {readonly Entry[]} pending What was written and is not answered: messages, and the start itself.
 * @property {number} last_event The number of the last event that was seen.
 * @property {number} typing_until On the client's clock.
 * @property {string} draft While somebody is typing: what there is of the answer; mostly nothing.
 * @property {number} ignored
 */

const TYPING_MS = 6_000;
const HAPPENED_MAX = 200;

/** @returns {MessengerState} */
export function initial() {
  return {
    link: { phase: 'idle' },
    stale: true,
    starting: false,
    messages: [],
    begins: false,
    happened: [],
    pending: [],
    last_event: 0,
    typing_until: 0,
    draft: '',
    ignored: 0,
  };
}

/** @typedef {(state: MessengerState, frame: Frame) => MessengerState} Step */

/** @type {Record<string, Step>} */
const STEPS = {
  opened: (state) => ({ ...state, begins: state.begins || state.messages.length === 0 }),
  message,
  joined: happened({ state: 'active' }, (frame) => ({ agent: frame.agent })),
  left: happened({}),
  requeued: happened({ state: 'waiting', agent: null }),
  moved: happened({ state: 'waiting', agent: null }, (frame) => ({ queue: frame.queue })),
  ended: happened({ state: 'closed' }, ({ at }) => ({ ended_at: at })),
  reopened: happened({ state: 'waiting', message: false }),
  state: (state, frame) => {
    if (typeof frame.state !== 'string') return ignored(state);
    const { type: _, heard_at: __, event_id: ___, ...told } = frame;
    const { place: a, opens_at: b, estimate: c, agent: d, agent_connection: e, ...rest } = state.conversation ?? EMPTY;
    return { ...state, stale: false, conversation: { agent: null, ...rest, ...told } };
  },
  read: (state, { number }) =>
    typeof number === 'number' ? facts(state, ({ read_by_agent }) => ({ read_by_agent: Math.max(read_by_agent, number) })) : ignored(state),
  rated: (state, { score, at }) => (typeof score === 'number' ? facts(state, () => ({ rating: { score, at } })) : ignored(state)),
  typing: (state, { heard_at, text }) => {
    const draft = typeof text === 'string' ? text : '';
    // What was taken back is an empty one.
    return { ...state, draft, typing_until: text === '' ? 0 : heard_at + TYPING_MS };
  },
};

/** Nobody is typing. */
const SILENT = { typing_until: 0, draft: '' };

/** @type {Conversation} */
const EMPTY = { conversation: '', state: 'waiting', last_number: 0, read_by_agent: 0, read_by_customer: 0 };

/** @type {Record<string, Step>} */
const LOCAL = {
  'local.link': (state, { link }) => ({ ...state, link, stale: state.stale || link.phase !== 'live' }),
  'local.queued': (state, { entry }) => ({ ...state, pending: queued(state.pending, entry), starting: state.starting || entry.command.type === 'start' }),
  'local.sent': (state, { id }) => ({ ...state, pending: changed(state.pending, id, { state: 'sent' }) }),
  'local.waits': (state) => ({ ...state, pending: unsent(state.pending) }),
  'local.discarded': (state, { id }) => ({ ...state, pending: answered(state.pending, id) }),
  // As it was last known, from storage.
  'local.resumed': (state, { kept }) => ({ ...state, ...kept, stale: true }),
  // The server knows fewer events than we: another journal. What is there is read again.
  'local.anew': (state) => ({ ...state, messages: [], happened: [], begins: false, last_event: 0, stale: true }),
  'local.conversation': (state, { conversation }) => taken(state, conversation),
  'local.page': (state, { messages, before }) => {
    const next = withMessages(state, messages);
    return { ...next, begins: next.begins || before === false };
  },
  'local.forgotten': (state) => ({ ...initial(), link: state.link }),
  'local.joined': (state) => state,
  reply,
};

/**
 * @param {MessengerState} state
 * @param {Frame} frame
 * @returns {MessengerState}
 */
export function reduce(state, frame) {
  const local = Object.hasOwn(LOCAL, frame?.type) ? LOCAL[frame.type] : undefined;
  if (local) return local(state, frame);
  const step = Object.hasOwn(STEPS, frame?.type) ? STEPS[frame.type] : undefined;
  const { event_id: id } = frame ?? {};
  // What is numbered comes once: what comes again changes nothing. An event that is unknown is seen all the same.
  if (typeof id === 'number' && id <= state.last_event) return state;
  const next = step ? step(state, frame) : ignored(state);
  return typeof id === 'number' ? { ...next, last_event: id } : next;
}

/** @param {MessengerState} state */
const ignored = (state) => ({ ...state, ignored: state.ignored + 1 });

/**
 * @param {MessengerState} state
 * @param {(old: Conversation) => Partial<Conversation>} change
 * @returns {MessengerState}
 */
function facts(state, change) {
  const { conversation } = state;
  return conversation ? { ...state, conversation: { ...conversation, ...change(conversation) } } : state;
}

/**
 * @param {MessengerState} state
 * @param {any} told
 * @returns {MessengerState}
 */
function taken(state, told) {
  const { events: _, ...conversation } = told;
  const before = state.conversation;
  const another = before !== undefined && before.conversation !== '' && before.conversation !== conversation.conversation;
  // Nothing of the last is shown with another one.
  if (another) state = { ...initial(), link: state.link, pending: state.pending };
  const old = state.conversation;
  // What the stream told since is newer than what was asked for before.
  const merged = old && old.conversation !== '' && !state.stale ? { ...conversation, ...old } : conversation;
  return { ...state, starting: false, conversation: { ...merged, last_number: Math.max(old?.last_number ?? 0, conversation.last_number ?? 0) } };
}

/** @type {Step} */
function message(state, frame) {
  const { number, author, text } = frame;
  if (typeof number !== 'number' || typeof author !== 'string' || typeof text !== 'string') return ignored(state);
  let next = withMessages(state, [frame]);
  next = facts(next, (old) => ({
    last_number: Math.max(old.last_number, number),
    ...(author === 'agent' && { read_by_agent: Math.max(old.read_by_agent, number) }),
    ...(author === 'customer' && { read_by_customer: Math.max(old.read_by_customer, number) }),
  }));
  if (author === 'agent') next = { ...next, ...SILENT };
  // Our own may come before the answer to it: it is shown once, by its number.
  const twin = author === 'customer' && next.pending.find(({ command, state, seen }) => state === 'sent' && seen === undefined && command.text === text);
  return twin ? { ...next, pending: changed(next.pending, twin.id, { seen: number }) } : next;
}

/**
 * @param {MessengerState} state
 * @param {any[]} told
 * @returns {MessengerState}
 */
function withMessages(state, told) {
  const known = new Set(state.messages.map(({ number }) => number));
  const fresh = told.filter((one) => typeof one?.number === 'number' && !known.has(one.number) && known.add(one.number));
  if (fresh.length === 0) return state;
  const messages = [...state.messages, ...fresh.map(messageOf)].sort((a, b) => a.number - b.number);
  return { ...state, messages, begins: state.begins || messages[0]?.number === 1 };
}

/** @param {any} told @returns {Message} */
function messageOf({ number, author, notice, agent, text, at, files }) {
  return { number, author, ...(notice !== undefined && { notice }), ...(agent && { agent }), text, at, ...(files && { files }) };
}

/**
 * @param {Partial<Conversation>} change
 * @param {(frame: Frame) => Partial<Conversation>} [more]
 * @returns {Step}
 */
function happened(change, more = () => ({})) {
  return (state, frame) => {
    const { type, event_id = 0, at, by, queue, agent } = frame;
    const after = state.conversation?.last_number ?? 0;
    const one = { event_id, type, after, at, ...(by && { by }), ...(queue && { queue }), ...(agent && { agent }) };
    // Whoever was typing may be gone.
    const next = { ...state, ...SILENT, happened: [...state.happened, one].slice(-HAPPENED_MAX) };
    return facts(next, () => ({ ...change, ...more(frame) }));
  };
}

/** @type {Step} */
function reply(state, { id, error, command, answer }) {
  let next = { ...state, pending: answered(state.pending, id, error) };
  if (command.type === 'start') {
    next = { ...next, starting: false };
    if (error) return next;
    next = taken(next, answer.conversation);
  }
  if (command.type === 'rate' && !error) return facts(next, () => ({ rating: { score: command.score, at: next.conversation?.ended_at ?? 0 } }));
  if (error || command.text === undefined || typeof answer?.number !== 'number') return next;
  const at = answer.at ?? next.conversation?.opened_at ?? 0;
  next = withMessages(next, [{ number: answer.number, author: 'customer', text: command.text, at, files: command.files }]);
  return facts(next, (old) => ({
    last_number: Math.max(old.last_number, answer.number),
    read_by_customer: Math.max(old.read_by_customer, answer.number),
  }));
}

/**
 * The last number before the first gap; nothing where none is.
 * @param {MessengerState} state
 * @returns {number | undefined}
 */
export function missing({ messages, conversation }) {
  let reached = (messages[0]?.number ?? 1) - 1;
  for (const { number } of messages) {
    if (number !== reached + 1) return reached;
    reached = number;
  }
  return messages.length > 0 && reached < (conversation?.last_number ?? 0) ? reached : undefined;
}

/**
 * What is shown: messages, and behind them what was written and is not answered.
 * @param {MessengerState} state
 */
export function shown({ messages, pending }) {
  return { messages, pending: pending.filter(({ command, seen }) => command.text !== undefined && seen === undefined) };
}

/**
 * What is kept for after a reload.
 * @param {MessengerState} state
 * @param {number} most Of the last messages.
 */
export function worthKeeping({ conversation, messages, happened, last_event, begins }, most) {
  const last = messages.slice(-most);
  return { conversation, messages: last, happened, last_event, begins: begins && last.length === messages.length };
}

/**
 * The same as of another tab's clock.
 * @param {MessengerState} state
 * @param {number} ms
 * @returns {MessengerState}
 */
export function shifted(state, ms) {
  const link = state.link.retry_at === undefined ? state.link : { ...state.link, retry_at: state.link.retry_at + ms };
  return { ...state, link, typing_until: state.typing_until === 0 ? 0 : state.typing_until + ms };
}
