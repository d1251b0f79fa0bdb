// An agent's client: what a screen for agents, or a program that answers customers, holds. It is told what the person does, and shows
// what the server says; between them it keeps a connection, and asks for nothing twice.

import { fullJitter } from '../shared/backoff.js';
import { Kept } from '../shared/outbox.js';
import { bearerOf, scopeOf } from '../shared/scope.js';
import { backOf, fileUrl, readFile, tokenFrom, upload } from '../shared/files.js';
import { Core } from './core.js';
import { Deeds } from './deeds.js';
import { initial, reduce, shifted } from './state.js';

/**
 * @typedef {import('./state.js').AgentState} AgentState
 *
 * @typedef {object} AgentOptions
 * @property {string} url Of the server: `https://desk.example`.
 * @property {import('./link.js').TokenSource} token A token, or a function that fetches one. A function is asked again before the token ends.
 * @property {boolean} [shared] Whether tabs of one browser share one connection (default true, where the browser can).
 * @property {Partial<import('../shared/environment.js').Environment>} [environment] What is to be other than this runtime's own.
 */

export class AgentClient extends Deeds {
  /** @param {AgentOptions} options */
  constructor({ url, token, shared = true, environment }) {
    super(environment, shared, { reduce, shifted }, initial());
    this.to = { url, token };
    this.scope = '';
    this.reach = this.reachOf();
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
   * Where files are, and by which right: the token of the connection, or, in a tab that follows, one of its own.
   * @returns {import('../shared/files.js').Reach}
   */
  reachOf() {
    const own = tokenFrom(this.env, () => this.to.token);
    return {
      env: this.env,
      // The workspace is told by the welcome.
      base: () => `${this.to.url.replace(/\/+$/, '')}/v1/agent/${encodeURIComponent(this.current.workspace ?? '')}`,
      token: async (refused) => {
        const token = this.core?.link.token;
        return token && token !== refused ? token : own(refused);
      },
      onBack: backOf(this),
    };
  }

  /** Goes on by itself when the connection broke. @param {string} conversation @param {Blob & { name?: string }} file @param {import('../shared/files.js').UploadOptions} [options] */
  upload(conversation, file, options) {
    return upload(this.reach, conversation, file, options);
  }

  /** What is in a file. @param {string} conversation @param {string} file @param {{ signal?: AbortSignal }} [options] */
  readFile(conversation, file, options) {
    return readFile(this.reach, conversation, file, options);
  }

  /** Where it is read, with the token in a header. @param {string} conversation @param {string} file */
  fileUrl(conversation, file) {
    return fileUrl(this.reach, conversation, file);
  }
}
