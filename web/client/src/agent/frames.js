// The words of the agents' socket (docs/wire.md, *Agents*), and which frames have the shape that they should.

/**
 * @typedef {object} WrapUp
 * @property {'timed' | 'when_done'} ends
 * @property {'slot' | 'agent' | 'nothing'} blocks
 * @property {number} extensions_left
 *
 * @typedef {{ clock: string, state: string, since?: number, due?: number }} ServiceClock
 *
 * @typedef {{ disposition?: string, tags?: string[], fields?: Record<string, string | number | boolean | null> }} Labels
 *
 * @typedef {object} Conversation As the server tells it, but that times left have become times on the client's own clock.
 * @property {string} conversation
 * @property {string} state
 * @property {string} channel
 * @property {string} queue
 * @property {number} priority
 * @property {{ name: string, level: number }[]} skills
 * @property {string} customer
 * @property {boolean} known
 * @property {string | null} name
 * @property {Record<string, string>} metadata
 * @property {number} opened_at Unix ms.
 * @property {number} waiting_since Unix ms.
 * @property {number} last_number
 * @property {number} read_by_agent
 * @property {number} read_by_customer
 * @property {string | null} owner
 * @property {WrapUp} [wrap_up]
 * @property {number} [wrap_up_ends_at] On the client's clock, where time ends it.
 * @property {string} [joined]
 * @property {string} [transfer_to]
 * @property {number} [paused_weight_percent]
 * @property {ServiceClock[]} [clocks]
 * @property {Labels} [labels]
 * @property {{ score: number, comment?: string }} [rating] As its customer rated it, while it is wrapped up.
 * @property {boolean} [reminded] Its customer awaits a word.
 * @property {number} as_of The position that this rests on.
 * @property {boolean} [untold] It was there before the connection broke, and no page of the snapshot has told it yet.
 *
 * @typedef {object} Offer
 * @property {string} offer
 * @property {Conversation} conversation
 * @property {number} ends_at On the client's clock.
 * @property {boolean} delivered
 * @property {number} [deliver_by] On the client's clock; until it is delivered.
 * @property {number} [auto_accept_at] On the client's clock.
 * @property {{ from: string, warm: boolean }} [transfer]
 * @property {number} as_of
 * @property {boolean} [untold]
 *
 * @typedef {{ agent: string } | { customer: string } | { system: string }} Author
 * @typedef {import('../shared/files.js').Attached} Attached
 * @typedef {{ state: 'pending' | 'sent' | 'failed' | 'delivered' | 'read', reason?: string }} Delivery Of a message that a channel of the workspace's own carries.
 * @typedef {{ number: number, author: Author, text: string, at: number, files?: readonly Attached[], delivery?: Delivery }} Message
 * @typedef {{ note: number, author: string | null, after: number, text: string, at: number, files?: readonly Attached[] }} Note
 *
 * @typedef {object} Thread What was said in one conversation, as far as it was read.
 * @property {readonly Message[]} messages Ascending; there may be gaps until they are healed.
 * @property {readonly Note[]} notes
 * @property {boolean} begins The first message there is is among them.
 * @property {Record<string, number>} typing Who (an agent's name, or empty: the customer) until when, on the client's clock.
 *
 * @typedef {{ name: string, available: boolean }} StatusChoice
 * @typedef {object} Settings
 * @property {StatusChoice[]} statuses
 * @property {string[]} channels
 * @property {string[]} reject_reasons
 * @property {number} text_bytes_max
 * @property {number} frame_bytes_max
 * @property {import('../shared/files.js').Allowed} [files] Absent: the workspace takes none.
 *
 * @typedef {import('../shared/outbox.js').WireError} WireError
 * @typedef {{ type: string, id: string } & Record<string, any>} Command
 * @typedef {{ type: string, heard_at: number } & Record<string, any>} Frame With when it was heard, on the client's clock.
 * @typedef {{ id: string, position?: number, ok?: true, error?: WireError } & Record<string, any>} Reply
 */

/** What must be there, of which kind, before a frame is believed. */
const SHAPES = /** @type {Record<string, Record<string, string>>} */ ({
  welcome: { session: 'string', position: 'number', agent: 'object', workspace: 'string', settings: 'object', snapshot: 'snapshot' },
  snapshot: { position: 'number', snapshot: 'snapshot' },
  status: { position: 'number', status: 'string', available: 'boolean', channels: 'array', connection: 'string' },
  next_status: { position: 'number' },
  offer: { position: 'number', offer: 'offer' },
  offer_delivered: { position: 'number', offer: 'string' },
  offer_ended: { position: 'number', offer: 'string', conversation: 'string', end: 'string' },
  conversation: { position: 'number', conversation: 'conversation' },
  conversation_gone: { position: 'number', conversation: 'string' },
  conversation_ended: { position: 'number', conversation: 'conversation' },
  wrap_up: { position: 'number', conversation: 'string', left_ms: 'number', wrap_up: 'object' },
  message: { position: 'number', conversation: 'string', number: 'number', author: 'object', text: 'string', at: 'number' },
  delivery: { position: 'number', conversation: 'string', number: 'number', state: 'string' },
  read: { position: 'number', conversation: 'string', reader: 'string', number: 'number' },
  typing: { conversation: 'string' },
  transfer: { position: 'number', conversation: 'string', agent: 'string' },
  transfer_ended: { position: 'number', conversation: 'string', agent: 'string', end: 'string' },
  left: { position: 'number', conversation: 'string', agent: 'string' },
  note: { position: 'number', conversation: 'string', note: 'number', text: 'string', at: 'number' },
  labelled: { position: 'number', conversation: 'string', labels: 'object' },
  described: { position: 'number', conversation: 'string', metadata: 'object' },
  rated: { position: 'number', conversation: 'string', score: 'number' },
  draining: { position: 'number', draining: 'boolean' },
  paused: { position: 'number', conversation: 'string', paused: 'boolean', weight_percent: 'number' },
  clock: { position: 'number', conversation: 'string', clock: 'string', state: 'string' },
  reminder: { position: 'number', conversation: 'string' },
  queues: { position: 'number', rows: 'array' },
  agents: { position: 'number', rows: 'array' },
  watching: { position: 'number', what: 'string', paused: 'boolean' },
  reply: {},
});

/** @param {any} value */
const isConversation = (value) => is('object', value) && is('string', value.conversation) && is('number', value.last_number);

/** @param {any} value */
const isOffer = (value) => is('object', value) && is('string', value.offer) && is('number', value.left_ms) && isConversation(value.conversation);

/**
 * @param {string} kind
 * @param {any} value
 * @returns {boolean}
 */
function is(kind, value) {
  if (kind === 'array') return Array.isArray(value);
  if (kind === 'object') return typeof value === 'object' && value !== null;
  if (kind === 'conversation') return isConversation(value);
  if (kind === 'offer') return isOffer(value);
  if (kind !== 'snapshot') return typeof value === kind;
  const lists = is('object', value) && is('array', value.offers) && is('array', value.conversations) && is('array', value.channels);
  return lists && is('string', value.status) && value.offers.every(isOffer) && value.conversations.every(isConversation);
}

/**
 * Whether this is a frame that we know, of the shape that it should have. Further members are of a later server's.
 * @param {any} frame
 * @returns {boolean}
 */
export function wellFormed(frame) {
  const shape = is('object', frame) && Object.hasOwn(SHAPES, frame.type) ? SHAPES[frame.type] : undefined;
  return shape !== undefined && Object.entries(shape).every(([name, kind]) => is(kind, frame[name]));
}

/** Frames of the server's that the client knows, for tests against the document. */
export const FRAME_TYPES = Object.keys(SHAPES);

/** A deed of these waits in storage while there is no connection, and is shown as pending. */
export const KEPT = new Set(['send', 'note']);

/** These are done one after the other in a conversation: what was written goes before the close that follows it. */
export const IN_ORDER = new Set([
  'send', 'note', 'close', 'wrap_up_done', 'label', 'transfer', 'cancel_transfer', 'hand_over', 'leave',
]);

/** These are worth something now or never, and nobody waits for an answer. */
export const FLEETING = new Set(['typing', 'input']);
