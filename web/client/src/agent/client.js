// An agent's client: what a screen for agents, or a program that answers customers, holds. It is told what the person does, and shows
// what the server says; between them it keeps a connection, and asks for nothing twice.

import { SharedClient } from '../shared/client.js';
import { fullJitter } from '../shared/backoff.js';
import { Kept } from '../shared/outbox.js';
import { bearerOf, scopeOf } from '../shared/scope.js';
import { Core } from './core.js';
import { initial, reduce, shifted } from './state.js';

/**
 * @typedef {import('./state.js').AgentState} AgentState
 * @typedef {import('./frames.js').Labels} Labels
 *
 * @typedef {object} AgentOptions
 * @property {string} url Of the server: `https://desk.example`.
 * @property {import('./link.js').TokenSource} token A token, or a function that fetches one. A function is asked again before the token ends.
 * @property {boolean} [shared] Whether tabs of one browser share one connection (default true, where the browser can).
 * @property {Partial<import('../shared/environment.js').Environment>} [environment] What is to be other than this runtime's own.
 */

/** Not for each key that is pressed. */
const TYPING_EACH_MS = 3_000;
const INPUT_EACH_MS = 5_000;

/** @extends {SharedClient<AgentState>} */
export class AgentClient extends SharedClient {
  /** @param {AgentOptions} options */
  constructor({ url, token, shared = true, environment }) {
    super(environment, shared, { reduce, shifted }, initial());
    this.to = { url, token };
    this.scope = '';
    /** Which start is under way: none after a stop. */
    this.starting = 0;
    this.starts = 0;
    this.attempt = 0;
    /** @type {Core | undefined} */
    this.core = undefined;
    /** @type {import('./link.js').TokenSource} */
    this.source = token;
    /** What other tabs asked before the core was there. @type {import('../shared/client.js').Command[]} */
    this.early = [];
    /** When something was mentioned last, by what it is. @type {Map<string, number>} */
    this.mentioned = new Map();
  }

  /** Connects, and stays connected until `stop`. */
  async connect() {
    if (this.starting) return;
    const starting = (this.starting = ++this.starts);
    const { token } = this.to;
    let first;
    try {
      first = typeof token === 'function' ? await token() : token;
    } catch {
      if (this.starting !== starting) return;
      const due = this.clock.now() + fullJitter(this.attempt++, this.env.random());
      this.starting = 0;
      this.apply({ type: 'local.link', link: { phase: 'waiting', retry_at: due }, heard_at: this.clock.now() });
      this.alarms.at('connect', due, () => void this.connect());
      return;
    }
    if (this.starting !== starting) return;
    const { sub = '', workspace = '' } = bearerOf(first);
    this.scope = scopeOf('agent', this.to.url, workspace, sub);
    // The first that was fetched is used first.
    let fetched = /** @type {string | undefined} */ (first);
    const source = () => {
      const once = fetched;
      fetched = undefined;
      return once ?? (typeof this.to.token === 'function' ? this.to.token() : this.to.token);
    };
    this.source = typeof token === 'function' ? source : token;
    this.join(this.scope);
  }

  /** Ends this tab's part in it. The status stays what it is: the server waits a while, and then the agent is offline. */
  stop() {
    if (!this.tabs && !this.starting && this.alarms.dueOf('connect') === undefined) return;
    this.starting = 0;
    this.end('closed');
    this.apply({ type: 'local.link', link: { phase: 'stopped', why: 'closed' }, heard_at: this.clock.now() });
  }

  /**
   * Another token, for one that has ended or will: `link.why` said so.
   * @param {import('./link.js').TokenSource} token
   */
  useToken(token) {
    this.to = { ...this.to, token };
    this.source = token;
    if (this.core) this.core.link.renew(token);
    else if (typeof token === 'string') this.mention('local.token', { token });
  }

  /** @override */
  async lead() {
    const { url } = this.to;
    const ticketKey = `${this.scope}|ticket`;
    const kept = new Kept(this.env.storage, this.scope);
    const [entries, ticket] = await Promise.all([kept.load(), Promise.resolve(this.env.storage.read(ticketKey)).catch(() => null)]);
    if (!this.tabs?.leads || this.core) return;
    const around = { state: () => this.current, tell: (/** @type {any} */ frame) => this.tell(frame) };
    const to = { url, token: this.source, ticketKey, ...(ticket && { ticket }) };
    this.core = new Core(this.env, this.alarms, kept, to, around);
    for (const entry of entries) this.tell({ type: 'local.queued', entry });
    this.core.start(this.current.pending);
    for (const command of this.early.splice(0)) this.ask(command);
    this.repeat();
  }

  /** @override */
  retire(why = 'idle') {
    this.core?.stop(why);
    this.core = undefined;
    this.early = [];
  }

  /**
   * @override
   * @param {import('../shared/client.js').Command} command
   */
  ask(command) {
    const { core } = this;
    if (!core) this.early.push(command);
    else if (command.type === 'local.discard') core.commands.discard(command.entry);
    else if (command.type === 'local.token') core.link.renew(command.token);
    else core.ask(command);
  }

  /** @override */
  nudge() {
    this.core?.nudge();
  }

  /**
   * @param {string} status
   * @param {readonly string[]} [channels] Those switched on; absent: as they are.
   */
  setStatus(status, channels) {
    return this.command('set_status', { status, channels });
  }

  /** @param {string | null} status For when the work is over; null: none any more. */
  nextStatus(status) {
    return this.command('next_status', { status: status ?? undefined });
  }

  /** An agent that is `unreachable` is there again. */
  ready() {
    return this.command('ready');
  }

  /** Somebody moved the mouse or typed at this device. */
  input() {
    this.mentionSometimes('input', {}, INPUT_EACH_MS);
  }

  /** The offer is on the screen, or a notification was raised: called by whoever has painted it. @param {string} offer */
  delivered(offer) {
    return this.command('delivered', { offer });
  }

  /** @param {string} offer */
  accept(offer) {
    return this.command('accept', { offer });
  }

  /** @param {string} offer @param {string} reason One of the settings' `reject_reasons`. */
  reject(offer, reason) {
    return this.command('reject', { offer, reason });
  }

  /** Written now, shown as pending, sent once. @param {string} conversation @param {string} text */
  send(conversation, text) {
    return this.command('send', { conversation, text });
  }

  /** An internal note; kept like a message. @param {string} conversation @param {string} text */
  note(conversation, text) {
    return this.command('note', { conversation, text });
  }

  /** Takes back what was written and was not sent, or was refused. @param {string} entry Its id in `pending`. */
  discard(entry) {
    this.mention('local.discard', { entry });
  }

  /** @param {string} conversation @param {number} number */
  read(conversation, number) {
    return this.command('read', { conversation, number });
  }

  /** @param {string} conversation */
  typing(conversation) {
    this.mentionSometimes('typing', { conversation }, TYPING_EACH_MS);
  }

  /** @param {string} conversation @param {Labels} [labels] */
  close(conversation, labels) {
    return this.command('close', { conversation, ...labels });
  }

  /** @param {string} conversation @param {Labels} [labels] */
  wrapUpDone(conversation, labels) {
    return this.command('wrap_up_done', { conversation, ...labels });
  }

  /** @param {string} conversation */
  extendWrapUp(conversation) {
    return this.command('extend_wrap_up', { conversation });
  }

  /** @param {string} conversation @param {Labels} labels */
  label(conversation, labels) {
    return this.command('label', { conversation, ...labels });
  }

  /** @param {string} conversation @param {{ agent: string, warm?: boolean } | { queue: string, waiting_since?: number }} to */
  transfer(conversation, to) {
    return this.command('transfer', { conversation, ...to });
  }

  /** @param {string} conversation */
  cancelTransfer(conversation) {
    return this.command('cancel_transfer', { conversation });
  }

  /** @param {string} conversation */
  handOver(conversation) {
    return this.command('hand_over', { conversation });
  }

  /** @param {string} conversation */
  leave(conversation) {
    return this.command('leave', { conversation });
  }

  /** The last messages, into the state; the first thing when a conversation is looked at. @param {string} conversation */
  open(conversation) {
    return this.command('history', { conversation });
  }

  /** The messages before those that are known. @param {string} conversation */
  earlier(conversation) {
    const before = this.current.threads[conversation]?.messages[0]?.number;
    return this.command('history', { conversation, before });
  }

  /** @param {string} queue @param {{ cursor?: string, limit?: number }} [page] */
  waitingIn(queue, page) {
    return this.command('waiting', { queue, ...page });
  }

  /** @param {string} conversation */
  pick(conversation) {
    return this.command('pick', { conversation });
  }

  /**
   * Rows come into the state, and change there. With an `order` it is a sheet of agents, sorted and filtered by the server.
   * @param {'queues' | 'agents'} what
   * @param {{ cursor?: string, limit?: number, order?: 'name' | 'load' | 'since', connection?: string, status?: string, queue?: string, find?: string, skip?: number }} [page]
   */
  watch(what, page) {
    return this.command('watch', { what, ...page });
  }

  /** @param {'queues' | 'agents'} what */
  unwatch(what) {
    return this.command('unwatch', { what });
  }

  /** Ends the work of this agent on all devices. */
  signOut() {
    return this.command('sign_out');
  }

  /**
   * @param {string} type
   * @param {Record<string, unknown>} members
   * @param {number} eachMs
   */
  mentionSometimes(type, members, eachMs) {
    const key = type + JSON.stringify(members);
    const now = this.clock.now();
    if (now - (this.mentioned.get(key) ?? -Infinity) < eachMs) return;
    if (this.mentioned.size > 1_000) this.mentioned.clear();
    this.mentioned.set(key, now);
    this.mention(type, members);
  }
}
