// The test server's half of the messenger (docs/wire.md, *Messenger*): calls over HTTP, and the stream of events; and what becomes of each
// where a test wants it to go wrong.

import { pageOf } from './agents.js';
import { FileCalls, fileOf } from './file_calls.js';
import { messageSeen } from './desk.js';
import { Refusal } from './refusal.js';

/**
 * @typedef {import('node:http').IncomingMessage} Request
 * @typedef {import('node:http').ServerResponse} Response
 * @typedef {import('./desk.js').Desk} Desk
 * @typedef {import('./desk.js').Conversation} Conversation
 * @typedef {import('./mischief.js').Points} Points
 * @typedef {import('./mischief.js').Mischief} Mischief
 *
 * @typedef {{ id?: number, event: string, data: object }} Event
 * @typedef {{ response: Response, conversation: Conversation, last: number, line: Event[], sending: boolean, mute: boolean }} Stream
 */

export class Customers {
  /**
   * @param {Desk} desk
   * @param {Points} points
   */
  constructor(desk, points) {
    this.desk = desk;
    this.points = points;
    /** @type {Set<Stream>} */
    this.streams = new Set();
    /** @type {Set<string>} */
    this.signedOut = new Set();
    this.files = new FileCalls(desk, points, problem);
  }

  /** @param {Request} request @param {Response} response */
  async answer(request, response) {
    const url = new URL(request.url ?? '/', 'http://here');
    const [workspace = '', ...path] = url.pathname.replace(/^\/v1\/messenger\//, '').split('/').filter((part) => part !== '');
    const file = fileOf(path);
    if (file) return this.files.answer(request, response, { ...file, who: () => this.own(request, file.conversation).customer });
    const call = `${request.method} ${path.at(-1) === path[1] && path.length === 2 ? 'conversation' : (path.at(-1) ?? '')}`.trim();
    let body = '';
    for await (const part of request) body += part;
    const mischief = this.points.pass(`in:${call}`);
    if (mischief?.what === 'refuse') {
      const { retry_after_ms = 50 } = mischief;
      return problem(response, 503, { code: 'busy', message: 'the intake is full', retry_after_ms });
    }
    if (mischief?.what === 'hold') await this.points.hold();
    else if (mischief && mischief.what !== 'duplicate' && mischief.what !== 'drop_after') return void request.socket.destroy();
    try {
      const done = this.obey(request, call, workspace, path, url.searchParams, body === '' ? {} : JSON.parse(body));
      if (mischief?.what === 'drop_after') return void request.socket.destroy();
      if (call === 'GET events') return this.follow(response, done);
      await this.reply(request, response, call, done);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      problem(response, error.status, error.error);
    }
  }

  /** @param {Request} request @param {Response} response @param {string} call @param {any} done */
  async reply(request, response, call, done) {
    const mischief = this.points.pass(`out:${call}`);
    const isText = typeof done === 'string';
    const text = isText ? done : done === undefined ? '' : JSON.stringify(done);
    if (mischief?.what === 'hold') await this.points.hold();
    else if (mischief?.what === 'cut' && text.length > 1) {
      response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) });
      return void response.write(text.slice(0, text.length >> 1), () => request.socket.destroy());
    } else if (mischief && mischief.what !== 'drop_after') return void request.socket.destroy();
    const status = done === undefined ? 204 : request.method === 'POST' ? 201 : 200;
    response.writeHead(status, { 'Content-Type': isText ? 'text/plain; charset=utf-8' : 'application/json' });
    response.end(text);
  }

  /** @param {Request} request */
  customer(request) {
    const token = (request.headers.authorization ?? '').replace(/^Bearer /, '');
    if (token === '') throw new Refusal('unauthorized', 401, { reason: 'token_missing' });
    if (this.signedOut.has(token)) throw new Refusal('unauthorized', 401, { reason: 'token_revoked' });
    return token.replace(/^ohv1\./, '');
  }

  /** @param {Request} request @param {string} id */
  own(request, id) {
    const held = this.desk.conversation(id);
    if (held.customer !== this.customer(request)) throw new Refusal('no_such_conversation', 404);
    return held;
  }

  /**
   * @param {Request} request @param {string} call @param {string} workspace @param {string[]} path @param {URLSearchParams} query @param {any} body
   * @returns {any}
   */
  obey(request, call, workspace, path, query, body) {
    const { desk } = this;
    const key = String(request.headers['idempotency-key'] ?? '');
    if (request.method === 'POST' && call !== 'POST typing' && !/^[0-9a-f]{32}$/.test(key)) throw new Refusal('missing_id', 400);
    const id = path[1] ?? '';
    switch (call) {
      case 'POST conversations':
        return this.start(request, workspace, key, body);
      case 'GET':
        return { conversations: [...desk.conversations.values()].filter((one) => one.customer === this.customer(request)).map((one) => desk.shown(one)) };
      case 'GET conversation':
        return { ...desk.shown(this.own(request, id)), events: `/v1/messenger/${workspace}/conversations/${id}/events` };
      case 'POST messages': {
        const held = this.own(request, id);
        return desk.once(held.customer, key, { id, ...body }, () => desk.post(held, { customer: held.customer }, body.text, body.files));
      }
      case 'GET messages': {
        const numbers = ['after', 'before', 'limit'].flatMap((name) => (query.has(name) ? [[name, Number(query.get(name))]] : []));
        const page = pageOf(this.own(request, id).messages, Object.fromEntries(numbers));
        return { messages: page.messages.map(messageSeen), more: page.more };
      }
      case 'POST read': {
        const held = this.own(request, id);
        desk.once(held.customer, key, { id, ...body }, () => desk.read(held, 'customer', body.number));
        return undefined;
      }
      case 'POST typing': {
        const { owner } = this.own(request, id);
        if (owner) desk.told.agent(owner, { type: 'typing', conversation: id });
        return undefined;
      }
      case 'POST leave': {
        const held = this.own(request, id);
        desk.once(held.customer, key, { id }, () => desk.close(held, 'customer'));
        return undefined;
      }
      case 'POST rating': {
        const held = this.own(request, id);
        desk.once(held.customer, key, { id, ...body }, () => rated(desk, held, body));
        return undefined;
      }
      case 'POST contact': {
        const held = this.own(request, id);
        desk.once(held.customer, key, { id, ...body }, () => described(desk, held, body));
        return undefined;
      }
      case 'GET page':
        return desk.files.settings;
      case 'GET reception':
        return { open: true, nobody_there: ![...desk.agents.values()].some(({ available }) => available), message: false };
      case 'GET transcript':
        return this.own(request, id).messages.map(({ author, text }) => `${'agent' in author ? author.agent : 'You'}: ${text}\n`).join('');
      case 'POST sign_out':
        this.signedOut.add((request.headers.authorization ?? '').replace(/^Bearer /, ''));
        return undefined;
      case 'GET events': {
        const held = this.own(request, id);
        const last = Number(request.headers['last-event-id'] ?? query.get('after') ?? 0);
        if (last > held.events.length) throw new Refusal('bad_cursor', 422);
        return { held, last };
      }
      default:
        throw new Refusal('not_found', 404);
    }
  }

  /** @param {Request} request @param {string} workspace @param {string} key @param {any} body */
  start(request, workspace, key, body) {
    const known = request.headers.authorization !== undefined;
    // As the real one: the token follows from the key, so that a repeated start hears the same.
    const customer = known ? this.customer(request) : `visitor-${key}`;
    const held = this.desk.once(known ? customer : 'visitor', key, body, () => this.desk.start(customer, body));
    const events = `/v1/messenger/${workspace}/conversations/${held.id}/events`;
    return {
      conversation: this.desk.shown(held),
      ...(body.text !== undefined && { number: 1 }),
      ...(!known && { token: `ohv1.${customer}` }),
      events,
    };
  }

  /** @param {Response} response @param {{ held: Conversation, last: number }} from */
  follow(response, { held, last }) {
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
    response.write('retry: 1000\n\n');
    /** @type {Stream} */
    const stream = { response, conversation: held, last, line: [], sending: false, mute: false };
    this.streams.add(stream);
    response.on('close', () => this.streams.delete(stream));
    response.on('error', () => {});
    this.put(stream, this.desk.stateEvent(held));
    for (const event of held.events.slice(last)) this.put(stream, event);
  }

  /** @param {Conversation} held @param {Event} event */
  tell(held, event) {
    for (const stream of this.streams) if (stream.conversation === held) this.put(stream, event);
  }

  /** @param {Stream} stream @param {Event} event */
  put(stream, event) {
    stream.line.push(event);
    if (!stream.sending) void this.flush(stream);
  }

  /** @param {Stream} stream */
  async flush(stream) {
    stream.sending = true;
    const { response } = stream;
    for (let event; (event = stream.line.shift()); ) {
      if (stream.mute || response.destroyed) continue;
      const text = `${event.id === undefined ? '' : `id: ${event.id}\n`}event: ${event.event}\ndata: ${JSON.stringify(event.data)}\n\n`;
      const mischief = this.points.pass(`event:${event.event}`);
      switch (mischief?.what) {
        case undefined:
        case 'snapshot':
          response.write(text);
          break;
        case 'hold':
          await this.points.hold();
          response.write(text);
          break;
        case 'duplicate':
          response.write(text + text);
          break;
        case 'mute':
          stream.mute = true;
          break;
        case 'cut':
          response.write(text.slice(0, text.length >> 1), () => response.destroy());
          break;
        case 'drop_after':
          response.write(text, () => response.destroy());
          break;
        default:
          response.destroy();
      }
    }
    stream.sending = false;
  }
}

/** @param {Desk} desk @param {Conversation} held @param {{ score: number, comment?: string }} said */
function rated(desk, held, { score, comment }) {
  if (held.state !== 'closed') throw new Refusal('wrong_state', 409, { state: held.state });
  desk.position++;
  const before = held.rating ? { before: held.rating.score } : {};
  const word = comment !== undefined ? { comment } : {};
  held.rating = { score, at: Date.now(), ...word };
  if (held.owner) desk.told.agent(held.owner, { type: 'rated', position: desk.position, conversation: held.id, score, ...before, ...word });
  desk.told.customer(held, { event: 'rated', data: { score, at: held.rating.at } });
}

/** @param {Desk} desk @param {Conversation} held @param {{ name?: string, email?: string }} said */
function described(desk, held, { name, email }) {
  if (held.state === 'closed') throw new Refusal('wrong_state', 409, { state: 'closed' });
  desk.position++;
  if (name !== undefined) held.name = name || null;
  const { email: _, ...others } = held.metadata;
  if (email !== undefined) held.metadata = email ? { ...others, email } : others;
  const { id: conversation, metadata } = held;
  if (held.owner) desk.told.agent(held.owner, { type: 'described', position: desk.position, conversation, name: held.name, metadata });
}

/**
 * @param {Response} response
 * @param {number} status
 * @param {Record<string, unknown>} error
 */
export function problem(response, status, error) {
  const ms = error.retry_after_ms;
  const later = typeof ms === 'number' ? { 'Retry-After': String(Math.ceil(ms / 1_000)) } : {};
  response.writeHead(status, { 'Content-Type': 'application/problem+json', ...later });
  response.end(JSON.stringify({ type: 'about:blank', title: String(error.code), status, ...error }));
}
