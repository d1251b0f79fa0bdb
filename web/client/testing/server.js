// A server for tests of what is built on this library: it speaks docs/wire.md to agents and customers on a port of its own, keeps everything
// in memory, and goes wrong where a test says so. Needs the package `ws`.

import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';
import { AgentSession } from './agents.js';
import { Customers, problem } from './customers.js';
import { Desk } from './desk.js';
import { fileOf } from './file_calls.js';
import { Points } from './mischief.js';
import { Refusal } from './refusal.js';

/**
 * @typedef {import('./mischief.js').What} What
 * @typedef {import('./mischief.js').Mischief} Mischief
 */

export class TestServer {
  constructor() {
    this.points = new Points();
    this.desk = new Desk({
      agent: (name, frame) => {
        for (const session of this.sessions) if (session.who.name === name) session.send({ ...frame });
      },
      customer: (held, event) => this.customers.tell(held, event),
    });
    this.customers = new Customers(this.desk, this.points);
    /** @type {Set<AgentSession>} */
    this.sessions = new Set();
    /** Each token and ticket that an agent's client came with, in order. @type {{ token: string, ticket: string | undefined }[]} */
    this.came = [];
    /** Tokens that are good no more. @type {Map<string, string>} */
    this.badTokens = new Map();
    /** How many offers and conversations fit into a snapshot. */
    this.page = 100;
    /** @type {import('node:http').Server | undefined} */
    this.http = undefined;
    this.port = 0;
  }

  /** Listens on a free port of this machine. */
  static async start() {
    const server = new TestServer();
    await server.listen();
    return server;
  }

  get url() {
    return `http://127.0.0.1:${this.port}`;
  }

  /**
   * @param {string | number} point
   * @param {What | Mischief} mischief
   * @param {number} [nth]
   */
  at(point, mischief, nth) {
    this.points.at(point, mischief, nth);
  }

  get passed() {
    return this.points.passed;
  }

  /** What of files it holds, takes and refuses. */
  get files() {
    return this.desk.files;
  }

  release() {
    this.points.release();
  }

  /**
   * A token of an agent, signed by nobody.
   * @param {string} agent
   * @param {object} [more] Further claims.
   */
  token(agent, more = {}) {
    const part = (/** @type {object} */ value) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const exp = Math.floor(Date.now() / 1_000) + 3_600;
    return `${part({ alg: 'none' })}.${part({ sub: agent, workspace: 'demo', exp, ...more })}.x`;
  }

  async listen() {
    const http = createServer((request, response) => {
      if (request.url?.startsWith('/v1/messenger/')) void this.customers.answer(request, response);
      else if (request.url?.startsWith('/v1/agent/')) this.answerAgent(request, response);
      else problem(response, 404, { code: 'not_found', message: 'there is no such thing' });
    });
    const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => 'offhook.agent.v1' });
    http.on('upgrade', (request, socket, head) => {
      socket.on('error', () => {});
      const mischief = this.points.pass('in:upgrade');
      if (mischief?.what === 'refuse') {
        const { retry_after_ms = 50 } = mischief;
        const body = JSON.stringify({ code: 'unavailable', message: 'starting', retry_after_ms });
        const head = `HTTP/1.1 503 Service Unavailable\r\nRetry-After: ${Math.ceil(retry_after_ms / 1_000)}\r\nContent-Length: ${body.length}\r\n\r\n`;
        return void socket.end(head + body);
      }
      if (mischief && !['close', 'mute', 'hold'].includes(mischief.what)) return void socket.destroy();
      sockets.handleUpgrade(request, socket, head, (open) => this.welcome(request, open, mischief));
    });
    await new Promise((/** @type {(nothing: void) => void} */ done) => http.listen(this.port, '127.0.0.1', done));
    this.port = /** @type {import('node:net').AddressInfo} */ (http.address()).port;
    this.http = http;
  }

  /**
   * @param {import('node:http').IncomingMessage} request
   * @param {import('node:http').ServerResponse} response
   */
  answerAgent(request, response) {
    const asked = fileOf(new URL(request.url ?? '/', 'http://here').pathname.split('/').slice(4));
    if (!asked) return problem(response, 404, { code: 'not_found', message: 'there is no such thing' });
    const who = () => {
      const token = (request.headers.authorization ?? '').replace(/^Bearer /, '');
      if (token === '' || this.badTokens.has(token)) throw new Refusal('unauthorized', 401);
      const name = nameIn(token);
      if (this.desk.conversation(asked.conversation).owner !== name) throw new Refusal('not_yours', 403);
      return name;
    };
    void this.customers.files.answer(request, response, { ...asked, who });
  }

  /**
   * @param {import('node:http').IncomingMessage} request
   * @param {import('ws').WebSocket} socket
   * @param {Mischief | undefined} mischief
   */
  async welcome(request, socket, mischief) {
    const protocols = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((one) => one.trim());
    const said = (/** @type {string} */ kind) => protocols.find((one) => one.startsWith(kind))?.slice(kind.length);
    const token = said('offhook.token.') ?? '';
    const ticket = said('offhook.ticket.');
    this.came.push({ token, ticket });
    const reason = this.badTokens.get(token) ?? (token === '' ? 'token_missing' : undefined);
    if (reason) return socket.close(4001, reason);
    if (mischief?.what === 'close') return socket.close(mischief.code ?? 4202, mischief.reason ?? 'resync');
    const session = new AgentSession(socket, this.desk, this.points, { name: nameIn(token), ticket, page: this.page });
    if (mischief?.what === 'mute') session.mute = true;
    if (mischief?.what === 'hold') await this.points.hold();
    this.sessions.add(session);
    socket.on('close', () => this.sessions.delete(session));
    session.welcome();
  }

  /** Killed: every connection ends without a word. What was done stays done. */
  async kill() {
    const { http } = this;
    if (!http) return;
    for (const { socket } of this.sessions) socket.terminate();
    this.sessions.clear();
    http.closeAllConnections();
    await new Promise((done) => http.close(done));
    this.http = undefined;
  }

  /** Again on the same port. */
  async startAgain() {
    await this.listen();
  }

  async stop() {
    this.release();
    await this.kill();
  }
}

/** @param {string} token @returns {string} */
const nameIn = (token) => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()).sub;
