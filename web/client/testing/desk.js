// A desk in memory, for the test server: agents, offers, conversations, and the outcome of each command by its id. It knows no queues, skills,
// capacity or time: an offer goes to the first agent who is available and has not rejected it, and runs until it is answered.

import { Files } from './files.js';
import { Refusal } from './refusal.js';

/**
 * @typedef {import('./files.js').Attached} Attached
 * @typedef {{ number: number, author: { agent: string } | { customer: string }, text: string, at: number, files?: Attached[] }} Message
 * @typedef {{ id: number, event: string, data: Record<string, unknown> }} Event
 *
 * @typedef {object} Conversation
 * @property {string} id
 * @property {'waiting' | 'offered' | 'active' | 'closed'} state
 * @property {string} customer
 * @property {string | null} name
 * @property {Record<string, string>} metadata
 * @property {string | null} owner
 * @property {Message[]} messages
 * @property {Event[]} events
 * @property {{ note: number, author: string, after: number, text: string, at: number }[]} notes
 * @property {number} read_by_agent
 * @property {number} read_by_customer
 * @property {Set<string>} rejected_by
 * @property {{ score: number, comment?: string, at: number }} [rating]
 *
 * @typedef {{ id: string, conversation: Conversation, agent: string, delivered: boolean }} Offer
 * @typedef {{ status: string, available: boolean, channels: string[] }} Agent
 *
 * @typedef {object} Told Where the desk says what happened.
 * @property {(agent: string, frame: Record<string, unknown>) => void} agent
 * @property {(conversation: Conversation, event: { id?: number, event: string, data: Record<string, unknown> }) => void} customer
 */

export const OFFER_MS = 30_000;

export class Desk {
  /** @param {Told} told */
  constructor(told) {
    this.told = told;
    this.position = 1;
    /** @type {Map<string, Agent>} */
    this.agents = new Map();
    /** @type {Map<string, Conversation>} */
    this.conversations = new Map();
    /** @type {Map<string, Offer>} */
    this.offers = new Map();
    /** @type {Map<string, { body: string, outcome: any }>} */
    this.outcomes = new Map();
    this.files = new Files();
    this.made = 0;
  }

  /** @param {string} name */
  agent(name) {
    const held = this.agents.get(name) ?? { status: 'away', available: false, channels: ['chat'] };
    this.agents.set(name, held);
    return held;
  }

  /**
   * Does it once for each id.
   * @template T
   * @param {string} who
   * @param {string} id
   * @param {unknown} body
   * @param {() => T} deed
   * @returns {T}
   */
  once(who, id, body, deed) {
    const key = `${who} ${id}`;
    const before = this.outcomes.get(key);
    const print = JSON.stringify(body);
    if (before && before.body !== print) throw new Refusal('id_reused', 409);
    if (before) return before.outcome;
    const outcome = deed();
    this.outcomes.set(key, { body: print, outcome });
    return outcome;
  }

  /** @param {string} id */
  conversation(id) {
    const found = this.conversations.get(id);
    if (!found) throw new Refusal('no_such_conversation', 404, { field: 'conversation' });
    return found;
  }

  /** @param {string} agent @param {string} id */
  owned(agent, id) {
    const found = this.conversation(id);
    if (found.owner !== agent) throw new Refusal('not_yours', 403);
    if (found.state !== 'active') throw new Refusal('wrong_state', 409, { state: found.state });
    return found;
  }

  /** @param {string} customer @param {{ text?: string, name?: string, metadata?: Record<string, string> }} body */
  start(customer, { text, name = undefined, metadata = {} }) {
    /** @type {Conversation} */
    const made = {
      id: `c${++this.made}`, state: 'waiting', customer, name: name ?? null, metadata, owner: null, messages: [], events: [], notes: [],
      read_by_agent: 0, read_by_customer: 0, rejected_by: new Set(),
    };
    this.position++;
    this.conversations.set(made.id, made);
    this.event(made, 'opened', { at: Date.now() });
    if (text !== undefined) this.post(made, { customer }, text);
    this.pair();
    return made;
  }

  /** @param {Conversation} held @param {string} event @param {Record<string, unknown>} data */
  event(held, event, data) {
    const one = { id: held.events.length + 1, event, data };
    held.events.push(one);
    this.told.customer(held, one);
  }

  /** @param {Conversation} held @param {Message['author']} author @param {string} text @param {unknown} [named] Its files. */
  post(held, author, text, named) {
    if (held.state === 'closed') throw new Refusal('wrong_state', 409, { state: 'closed' });
    const files = this.files.say(held.id, named);
    this.position++;
    const message = { number: held.messages.length + 1, author, text, at: Date.now(), ...(files && { files }) };
    held.messages.push(message);
    if ('agent' in author) held.read_by_agent = message.number;
    else held.read_by_customer = message.number;
    this.event(held, 'message', messageSeen(message));
    if (held.owner) this.told.agent(held.owner, { type: 'message', position: this.position, conversation: held.id, ...message });
    return { number: message.number, at: message.at };
  }

  /** Offers what waits. */
  pair() {
    for (const held of this.conversations.values()) {
      if (held.state !== 'waiting') continue;
      const free = [...this.agents].find(([name, { available }]) => available && !held.rejected_by.has(name));
      if (!free) continue;
      this.position++;
      const offer = { id: `o${++this.made}`, conversation: held, agent: free[0], delivered: false };
      held.state = 'offered';
      this.offers.set(offer.id, offer);
      this.told.agent(offer.agent, { type: 'offer', position: this.position, offer: this.offerSeen(offer) });
    }
  }

  /** @param {string} name @param {string} status @param {string[]} [channels] */
  setStatus(name, status, channels) {
    const agent = this.agent(name);
    this.position++;
    Object.assign(agent, { status, available: status === 'available', ...(channels && { channels }) });
    this.told.agent(name, { type: 'status', position: this.position, ...agent, connection: 'online', cause: 'chosen' });
    this.pair();
    return {};
  }

  /** @param {string} name @param {string} id */
  offered(name, id) {
    const offer = this.offers.get(id);
    if (!offer) throw new Refusal('offer_gone', 409, { field: 'offer', end: 'expired' });
    if (offer.agent !== name) throw new Refusal('not_your_offer', 403);
    return offer;
  }

  /** @param {string} name @param {string} id */
  delivered(name, id) {
    const offer = this.offered(name, id);
    this.position++;
    offer.delivered = true;
    this.told.agent(name, { type: 'offer_delivered', position: this.position, offer: id });
    return {};
  }

  /** @param {string} name @param {string} id */
  accept(name, id) {
    const { conversation: held } = this.offered(name, id);
    this.position++;
    this.offers.delete(id);
    held.state = 'active';
    held.owner = name;
    this.told.agent(name, { type: 'conversation', position: this.position, conversation: this.seen(held), cause: 'accepted' });
    this.told.agent(name, { type: 'offer_ended', position: this.position, offer: id, conversation: held.id, end: 'accepted' });
    this.event(held, 'joined', { agent: { title: name }, at: Date.now() });
    this.told.customer(held, this.stateEvent(held));
    return { conversation: held.id };
  }

  /** @param {string} name @param {string} id @param {string} reason */
  reject(name, id, reason) {
    const { conversation: held } = this.offered(name, id);
    this.position++;
    this.offers.delete(id);
    held.state = 'waiting';
    held.rejected_by.add(name);
    this.told.agent(name, { type: 'offer_ended', position: this.position, offer: id, conversation: held.id, end: 'rejected', reason });
    this.pair();
    return {};
  }

  /** @param {Conversation} held @param {'agent' | 'customer'} by */
  close(held, by) {
    if (held.state === 'closed') throw new Refusal('wrong_state', 409, { state: 'closed' });
    this.position++;
    held.state = 'closed';
    for (const offer of [...this.offers.values()].filter((one) => one.conversation === held)) {
      this.offers.delete(offer.id);
      this.told.agent(offer.agent, { type: 'offer_ended', position: this.position, offer: offer.id, conversation: held.id, end: 'withdrawn' });
    }
    if (held.owner) this.told.agent(held.owner, { type: 'conversation_gone', position: this.position, conversation: held.id, cause: 'closed', by });
    this.event(held, 'ended', { by, at: Date.now() });
    this.told.customer(held, this.stateEvent(held));
    return {};
  }

  /** @param {Conversation} held @param {'agent' | 'customer'} reader @param {number} number */
  read(held, reader, number) {
    if (number > held.messages.length) throw new Refusal('no_such_message', 422);
    this.position++;
    if (reader === 'agent') held.read_by_agent = Math.max(held.read_by_agent, number);
    else held.read_by_customer = Math.max(held.read_by_customer, number);
    if (held.owner) this.told.agent(held.owner, { type: 'read', position: this.position, conversation: held.id, reader, number });
    if (reader === 'agent') this.told.customer(held, { event: 'read', data: { number } });
    return {};
  }

  /** @param {string} name @param {Conversation} held @param {string} text */
  note(name, held, text) {
    this.position++;
    const note = { note: held.notes.length + 1, author: name, after: held.messages.length, text, at: Date.now() };
    held.notes.push(note);
    this.told.agent(name, { type: 'note', position: this.position, conversation: held.id, ...note });
    return { note: note.note, at: note.at };
  }

  /** A conversation as its agent sees it. @param {Conversation} held */
  seen(held) {
    const { id: conversation, state, customer, name, metadata, owner, messages, read_by_agent, read_by_customer } = held;
    const fixed = { channel: 'chat', queue: 'support', priority: 0, skills: [], known: false, wrap_up_left_ms: 0, opened_at: 1, waiting_since: 1 };
    return { conversation, state, customer, name, metadata, owner, last_number: messages.length, read_by_agent, read_by_customer, ...fixed };
  }

  /** @param {Offer} offer */
  offerSeen({ id, conversation, delivered }) {
    return { offer: id, conversation: this.seen(conversation), left_ms: OFFER_MS, delivered, deliver_left_ms: delivered ? 0 : 5_000 };
  }

  /** All that is an agent's own. @param {string} name */
  own(name) {
    const offers = [...this.offers.values()].filter(({ agent }) => agent === name).map((offer) => this.offerSeen(offer));
    const held = [...this.conversations.values()].filter(({ owner, state }) => owner === name && state === 'active');
    return { offers, conversations: held.map((one) => this.seen(one)) };
  }

  /** @param {Conversation} held */
  stateEvent(held) {
    const data = { state: customerState(held), ...(held.owner && { agent: { title: held.owner }, agent_connection: 'online' }) };
    return { event: 'state', data };
  }

  /** A conversation as its customer sees it. @param {Conversation} held */
  shown(held) {
    const { id: conversation, owner, messages, read_by_agent, read_by_customer } = held;
    const state = customerState(held);
    const agent = state === 'active' && owner ? { title: owner } : null;
    const place = state === 'waiting' ? { place: 1 } : {};
    const rated = held.rating ? { rating: { score: held.rating.score, at: held.rating.at } } : {};
    return { conversation, state, queue: 'Support', ...place, agent, last_number: messages.length, read_by_agent, read_by_customer, opened_at: 1, ...rated };
  }
}

/** @param {Conversation} held */
function customerState({ state }) {
  return state === 'offered' ? 'waiting' : state;
}

/**
 * As the customer sees it.
 * @param {Message} message
 */
export function messageSeen({ number, author, text, at, files }) {
  const who = 'agent' in author ? { author: 'agent', agent: { title: author.agent } } : { author: 'customer' };
  return { number, ...who, text, at, ...(files && { files }) };
}
