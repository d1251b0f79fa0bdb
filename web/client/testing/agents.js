// The test server's half of the agents' socket (docs/wire.md, *Agents*): welcome, commands with one reply each, deltas; and what becomes of
// each where a test wants it to go wrong.

import { Refusal } from './refusal.js';

/**
 * @typedef {import('ws').WebSocket} WebSocket
 * @typedef {import('./desk.js').Desk} Desk
 * @typedef {import('./mischief.js').Points} Points
 * @typedef {import('./mischief.js').Mischief} Mischief
 */

const SETTINGS = {
  statuses: [{ name: 'available', available: true }, { name: 'away', available: false }],
  channels: ['chat', 'voice', 'email'],
  reject_reasons: ['busy'],
  text_bytes_max: 16_384,
  frame_bytes_max: 65_536,
};

export class AgentSession {
  /**
   * @param {WebSocket} socket
   * @param {Desk} desk
   * @param {Points} points
   * @param {{ name: string, ticket: string | undefined, page: number }} who `page`: how many of its things a snapshot has room for.
   */
  constructor(socket, desk, points, who) {
    this.socket = socket;
    this.desk = desk;
    this.points = points;
    this.who = who;
    this.mute = false;
    this.bad = 0;
    /** @type {any[]} What waits behind something that is held. */
    this.line = [];
    this.sending = false;
    socket.on('message', (data, isBinary) => (isBinary ? socket.close(1003, 'binary') : this.take(String(data))));
    socket.on('error', () => {});
  }

  welcome() {
    const { name } = this.who;
    const agent = { name, title: name, role: 'agent' };
    const session = '0'.repeat(32);
    const frame = { type: 'welcome', session, position: this.desk.position, ticket: `ohr1.${name}`, agent, workspace: 'demo', settings: { ...SETTINGS, ...this.desk.files.settings } };
    this.send({ ...frame, snapshot: this.snapshot() });
  }

  snapshot() {
    const { name, page } = this.who;
    return { ...this.desk.agent(name), connection: 'online', ...this.page(0, page) };
  }

  /** @param {number} from @param {number} count */
  page(from, count) {
    const { offers, conversations } = this.desk.own(this.who.name);
    const all = [...offers.map((offer) => ({ offer })), ...conversations.map((conversation) => ({ conversation }))];
    const some = all.slice(from, from + count);
    const cursor = from + count < all.length ? { cursor: String(from + count) } : {};
    return {
      offers: some.flatMap((one) => ('offer' in one ? [one.offer] : [])),
      conversations: some.flatMap((one) => ('conversation' in one ? [one.conversation] : [])),
      ...cursor,
    };
  }

  /** @param {any} frame @param {string} [name] */
  send(frame, name = frame.type) {
    this.line.push([frame, name]);
    if (!this.sending) this.flush();
  }

  async flush() {
    this.sending = true;
    for (let next; (next = this.line.shift()); ) {
      const [frame, name] = next;
      if (this.mute || this.socket.readyState !== 1) continue;
      const mischief = this.points.pass(`out:${name}`);
      const text = JSON.stringify(frame);
      switch (mischief?.what) {
        case undefined:
          this.socket.send(text);
          break;
        case 'hold':
          await this.points.hold();
          this.socket.send(text);
          break;
        case 'duplicate':
          this.socket.send(text);
          this.socket.send(text);
          break;
        case 'drop_after':
          this.socket.send(text, () => this.socket.terminate());
          break;
        case 'snapshot':
          // A reply is never dropped, nor the welcome.
          if (frame.type === 'reply' || frame.type === 'welcome') this.socket.send(text);
          this.socket.send(JSON.stringify({ type: 'snapshot', position: this.desk.position, snapshot: this.snapshot() }));
          break;
        default:
          this.goWrong(/** @type {Mischief} */ (mischief));
      }
    }
    this.sending = false;
  }

  /** @param {Mischief} mischief */
  goWrong({ what, code = 4202, reason = 'resync' }) {
    if (what === 'mute') this.mute = true;
    else if (what === 'close') this.socket.close(code, reason);
    else this.socket.terminate();
  }

  /** @param {string} text */
  take(text) {
    if (this.mute || this.socket.readyState !== 1) return;
    let frame;
    try {
      frame = JSON.parse(text);
    } catch {
      return this.send({ type: 'reply', id: null, error: { code: 'bad_request', message: 'not JSON' } }, 'reply:bad');
    }
    const { type, id, ...members } = frame;
    const mischief = this.points.pass(`in:${type}`);
    if (mischief?.what === 'refuse') {
      const error = { code: 'busy', message: 'the intake is full', retry_after_ms: mischief.retry_after_ms ?? 50 };
      return this.send({ type: 'reply', id, error }, `reply:${type}`);
    }
    if (mischief && !['drop_after', 'duplicate', 'snapshot', 'hold'].includes(mischief.what)) return this.goWrong(mischief);
    // A frame that comes twice is done once, and answered twice.
    for (let times = mischief?.what === 'duplicate' ? 2 : 1; times > 0; times--) this.answer(type, id, members, mischief?.what === 'drop_after');
    if (mischief?.what === 'snapshot') this.send({ type: 'snapshot', position: this.desk.position, snapshot: this.snapshot() });
  }

  /** @param {string} type @param {unknown} id @param {any} members @param {boolean} lost */
  answer(type, id, members, lost) {
    let outcome;
    try {
      if (typeof id !== 'string' || !/^[0-9a-f]{32}$/.test(id)) throw new Refusal('missing_id', 400);
      outcome = { ok: true, ...this.obey(type, id, members) };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      outcome = { error: error.error };
    }
    // Done, and nobody hears of it.
    if (lost) return this.socket.terminate();
    if (type === 'typing' || type === 'input') return;
    this.send({ type: 'reply', id, position: this.desk.position, ...outcome }, `reply:${type}`);
    if (type === 'sign_out') this.line.length === 0 && this.socket.close(4000, 'signed_out');
  }

  /** @param {string} type @param {string} id @param {any} m @returns {object} */
  obey(type, id, m) {
    const { desk } = this;
    const { name } = this.who;
    const once = (/** @type {() => object} */ deed) => desk.once(name, id, { type, ...m }, deed);
    switch (type) {
      case 'set_status':
        return once(() => desk.setStatus(name, m.status, m.channels));
      case 'delivered':
        return once(() => desk.delivered(name, m.offer));
      case 'accept':
        return once(() => desk.accept(name, m.offer));
      case 'reject':
        return once(() => desk.reject(name, m.offer, m.reason));
      case 'send':
        return once(() => desk.post(desk.owned(name, m.conversation), { agent: name }, m.text, m.files));
      case 'read':
        return once(() => desk.read(desk.owned(name, m.conversation), 'agent', m.number));
      case 'close':
        return once(() => desk.close(desk.owned(name, m.conversation), 'agent'));
      case 'note':
        return once(() => desk.note(name, desk.conversation(m.conversation), m.text));
      case 'typing':
        desk.told.customer(desk.owned(name, m.conversation), { event: 'typing', data: {} });
        return {};
      case 'notes':
        return { notes: desk.conversation(m.conversation).notes, more: false };
      case 'history':
        return pageOf(desk.conversation(m.conversation).messages, m);
      case 'own':
        return this.page(Number(m.cursor), this.who.page);
      case 'watch':
        return { rows: [{ queue: 'support', waiting: 0 }] };
      case 'refresh':
        return { expires_at: Date.now() + 3_600_000 };
      case 'ready':
      case 'input':
      case 'unwatch':
      case 'sign_out':
        return {};
      default:
        throw new Refusal('unknown_type', 400, { field: 'type' });
    }
  }
}

/**
 * @template {{ number: number }} T
 * @param {T[]} all
 * @param {{ after?: number, before?: number, limit?: number }} asked
 */
export function pageOf(all, { after, before, limit = 50 }) {
  if (after !== undefined) {
    const found = all.filter(({ number }) => number > after);
    return { messages: found.slice(0, limit), more: found.length > limit };
  }
  const found = all.filter(({ number }) => before === undefined || number < before);
  return { messages: found.slice(-limit), more: found.length > limit };
}
