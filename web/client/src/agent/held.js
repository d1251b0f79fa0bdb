// Of an agent's state: the offers that it was made and the conversations that it holds. Pure.

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
export function left(at, now) {
  return at === undefined ? 0 : Math.max(0, at - now);
}

/**
 * @param {any} told
 * @param {number} heardAt
 * @param {number} asOf
 * @returns {Conversation}
 */
function conversationOf(told, heardAt, asOf) {
  const { wrap_up_left_ms, ...rest } = told;
  const timed = told.wrap_up?.ends === 'timed';
  return { ...rest, ...(timed && { wrap_up_ends_at: heardAt + (wrap_up_left_ms ?? 0) }), as_of: asOf };
}

/**
 * @param {any} told
 * @param {number} heardAt
 * @param {number} asOf
 * @returns {Offer}
 */
function offerOf(told, heardAt, asOf) {
  const { left_ms, deliver_left_ms, auto_accept_left_ms, ...rest } = told;
  return {
    ...rest,
    conversation: conversationOf(told.conversation, heardAt, asOf),
    ends_at: heardAt + left_ms,
    ...(!told.delivered && deliver_left_ms !== undefined && { deliver_by: heardAt + deliver_left_ms }),
    ...(auto_accept_left_ms !== undefined && { auto_accept_at: heardAt + auto_accept_left_ms }),
    as_of: asOf,
  };
}

/**
 * @template {{ as_of: number }} T
 * @param {Readonly<Record<string, T>>} old
 * @param {any[]} told
 * @param {string} key
 * @param {(one: any) => T} of
 */
function merged(old, told, key, of) {
  const next = { ...old };
  for (const one of told) {
    const fresh = of(one);
    const known = next[one[key]];
    // A delta that came before the page, and is of later, knows better.
    if (known && known.as_of > fresh.as_of) continue;
    next[one[key]] = fresh;
  }
  return next;
}

/**
 * @template {object} T
 * @param {Readonly<Record<string, T>>} old
 * @param {(one: T) => boolean} keep
 * @returns {Record<string, T>}
 */
function filtered(old, keep) {
  return Object.fromEntries(Object.entries(old).filter(([, one]) => keep(one)));
}

/**
 * @template {object} T
 * @param {Readonly<Record<string, T>>} old
 * @returns {Record<string, T & { untold: true, as_of: number }>}
 */
function untold(old) {
  // As of no position of this connection, so that whatever is told of them now counts.
  return Object.fromEntries(Object.entries(old).map(([id, one]) => [id, { ...one, untold: true, as_of: -1 }]));
}

/**
 * What the snapshot tells is all there is; or, where it goes on behind a cursor, what was there before stays, marked, until the last page.
 * @param {AgentState} state
 * @param {any} told
 * @param {Frame} frame
 * @returns {AgentState}
 */
export function snapshot(state, told, frame) {
  const paged = told.cursor !== undefined;
  const before = paged
    ? { offers: untold(state.offers), conversations: untold(state.conversations) }
    : { offers: {}, conversations: {} };
  return page({ ...state, ...before }, { ...frame, ...told });
}

/**
 * @param {AgentState} state
 * @param {Frame} frame With `offers`, `conversations` and a `cursor`, at its own `position`.
 * @returns {AgentState}
 */
export function page(state, frame) {
  const { offers = [], conversations = [], cursor, heard_at, position = state.position } = frame;
  const next = {
    ...state,
    cursor,
    complete: cursor === undefined,
    offers: merged(state.offers, offers, 'offer', (one) => offerOf(one, heard_at, position)),
    conversations: merged(state.conversations, conversations, 'conversation', (one) => conversationOf(one, heard_at, position)),
  };
  if (cursor !== undefined) return next;
  return {
    ...next,
    offers: filtered(next.offers, (one) => !one.untold),
    conversations: filtered(next.conversations, (one) => !one.untold),
  };
}

/** @type {import('./state.js').Step} */
export function offer(state, { offer: told, heard_at, position }) {
  return { ...state, offers: { ...state.offers, [told.offer]: offerOf(told, heard_at, position) } };
}

/** @type {import('./state.js').Step} */
export function offerDelivered(state, { offer: id, auto_accept_left_ms, heard_at, position }) {
  const old = state.offers[id];
  if (!old || old.as_of > position) return state;
  const { deliver_by: _, ...rest } = old;
  const auto = auto_accept_left_ms === undefined ? {} : { auto_accept_at: heard_at + auto_accept_left_ms };
  return { ...state, offers: { ...state.offers, [id]: { ...rest, delivered: true, ...auto } } };
}

/** @type {import('./state.js').Step} */
export function offerEnded(state, { offer: id }) {
  if (!state.offers[id]) return state;
  return { ...state, offers: filtered(state.offers, (one) => one.offer !== id) };
}

/** @type {import('./state.js').Step} */
export function conversation(state, { conversation: told, heard_at, position }) {
  const one = conversationOf(told, heard_at, position);
  return { ...state, conversations: { ...state.conversations, [told.conversation]: one } };
}

/** @type {import('./state.js').Step} */
export function conversationGone(state, { conversation: id }) {
  return { ...state, conversations: filtered(state.conversations, (one) => one.conversation !== id) };
}

/**
 * A step that changes some members of one conversation, where it is held and nothing newer is known of it.
 * @param {(old: Conversation, frame: Frame) => Partial<Conversation>} change
 * @returns {import('./state.js').Step}
 */
export function patched(change) {
  return (state, frame) => {
    const old = state.conversations[frame.conversation];
    if (!old || old.as_of > frame.position) return state;
    /** @type {Conversation} */
    const next = { ...old, ...change(old, frame) };
    for (const [name, value] of Object.entries(next)) if (value === undefined) delete (/** @type {any} */ (next)[name]);
    return { ...state, conversations: { ...state.conversations, [frame.conversation]: next } };
  };
}

/** @type {import('./state.js').Step} */
export const wrapUp = patched((_, { left_ms, wrap_up, heard_at }) => ({
  wrap_up,
  wrap_up_ends_at: wrap_up.ends === 'timed' ? heard_at + left_ms : undefined,
}));

/**
 * @param {Conversation} old
 * @param {Frame} frame
 * @returns {Partial<Conversation>}
 */
export function clocks(old, { clock, state, due }) {
  const others = (old.clocks ?? []).filter((one) => one.clock !== clock);
  const before = (old.clocks ?? []).find((one) => one.clock === clock);
  const runs = state === 'pending' || state === 'breached';
  const now = runs ? [...others, { ...before, clock, state, ...(due !== undefined && { due }) }] : others;
  return { clocks: now.length > 0 ? now : undefined };
}

/**
 * @param {Conversation} old
 * @param {string} reader
 * @param {number} number
 * @returns {Partial<Conversation>}
 */
export function readUpTo(old, reader, number) {
  if (reader === 'agent') return { read_by_agent: Math.max(old.read_by_agent ?? 0, number) };
  if (reader === 'customer') return { read_by_customer: Math.max(old.read_by_customer ?? 0, number) };
  return {};
}

/**
 * @param {AgentState} state
 * @param {number} ms
 * @returns {AgentState}
 */
export function shifted(state, ms) {
  /** @type {<T extends object>(one: T) => T} */
  const later = (one) =>
    /** @type {any} */ (
      Object.fromEntries(
        Object.entries(one).map(([name, value]) => {
          if (name === 'conversation' && typeof value === 'object') return [name, later(value)];
          return [name, TIMES.has(name) ? value + ms : value];
        }),
      )
    );
  /** @type {<T extends object>(all: Readonly<Record<string, T>>) => Record<string, T>} */
  const each = (all) => Object.fromEntries(Object.entries(all).map(([id, one]) => [id, later(one)]));
  return { ...state, offers: each(state.offers), conversations: each(state.conversations) };
}

const TIMES = new Set(['ends_at', 'deliver_by', 'auto_accept_at', 'wrap_up_ends_at']);
