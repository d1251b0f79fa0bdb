// A customer's client, as far as a widget needs it from the beginning. It begins a conversation or goes on with one, shows what is said, and keeps
// what is written until the server has it. The rest is in whole.js.

import { SharedClient } from '../shared/client.js';
import { bearerOf, scopeOf } from '../shared/scope.js';
import { Core } from './core.js';
import { initial, reduce, shifted } from './state.js';

/**
 * @typedef {import('./state.js').MessengerState} MessengerState
 * @typedef {import('../agent/link.js').TokenSource} TokenSource
 *
 * @typedef {object} MessengerOptions
 * @property {string} url Of the server: `https://desk.example`.
 * @property {string} workspace
 * @property {TokenSource} [token] Of a known customer, signed by the page's own backend. Absent: a visitor, who gets a token with the first start.
 * @property {string} [customer] Who that is, where the token is a function: what is kept in this browser is kept for that one.
 * @property {boolean} [shared] Whether tabs of one browser share one stream (default true, where the browser can).
 * @property {Partial<import('../shared/environment.js').Environment>} [environment]
 */

const TYPING_EACH_MS = 3_000;

/** @extends {SharedClient<MessengerState>} */
export class MessengerClient extends SharedClient {
  /** @param {MessengerOptions} options */
  constructor({ url, workspace, token, customer, shared = true, environment }) {
    super(environment, shared, { reduce, shifted }, initial());
    this.to = { url: url.replace(/\/+$/, ''), workspace, token, customer };
    /** @type {Core | undefined} */
    this.core = undefined;
    /** @type {import('../shared/client.js').Command[]} */
    this.early = [];
    this.typedAt = -Infinity;
  }

  /** Goes on where it was, if it was anywhere: shown at once as it was last known, and then as it is. */
  connect() {
    if (this.tabs) return;
    const { url, workspace, token, customer } = this.to;
    const who = token === undefined ? 'visitor' : (customer ?? (typeof token === 'string' ? (bearerOf(token).sub ?? 'known') : 'known'));
    this.scope = scopeOf('messenger', url, workspace, token === undefined ? 'visitor' : `known:${who}`);
    this.join(this.scope);
  }

  /** Ends this tab's part in it. Nothing that was said or written is lost. */
  stop() {
    if (!this.tabs) return;
    this.end('closed');
    this.apply({ type: 'local.link', link: { phase: 'stopped', why: 'closed' }, heard_at: this.clock.now() });
  }

  /** The workspace's messenger. */
  get base() {
    const { url, workspace } = this.to;
    return `${url}/v1/messenger/${encodeURIComponent(workspace)}`;
  }

  /** @override */
  async lead() {
    const { token } = this.to;
    const around = { state: () => this.current, tell: (/** @type {any} */ frame) => this.tell(frame) };
    const to = { base: this.base, scope: this.scope ?? '', token };
    const core = new Core(this.env, this.alarms, to, around);
    this.coming = core;
    await core.start();
    // Meanwhile it may have been stopped.
    if (this.coming !== core) return core.stop('idle');
    this.core = core;
    for (const command of this.early.splice(0)) core.ask(command);
    this.repeat();
  }

  /** @override */
  retire(why = 'idle') {
    this.coming = undefined;
    this.core?.stop(why);
    this.core = undefined;
    this.early = [];
  }

  /**
   * @override
   * @param {import('../shared/client.js').Command} command
   */
  ask(command) {
    if (this.core) this.core.ask(command);
    else this.early.push(command);
  }

  /** @override */
  nudge() {
    this.core?.nudge();
  }

  /**
   * Begins a conversation.
   * @param {{ text?: string, name?: string, channel?: string, metadata?: Record<string, string>, or_message?: boolean }} [body] What a form asked
   *   before it goes into `name` and `metadata`, a flat object of strings. `or_message`: should it be refused for now, it is a message that is left.
   */
  start(body = {}) {
    return this.command('start', body);
  }

  /**
   * Written now, shown as pending, sent once; behind a start that is under way.
   * @param {string} text
   * @param {readonly import('../shared/files.js').Attached[]} [files] As they were uploaded; then the text may be empty.
   */
  send(text, files) {
    return this.command('send', { text, files });
  }

  /** @param {string} entry Its id in `pending`. */
  discard(entry) {
    this.mention('local.discard', { entry });
  }

  /** @param {number} number Read up to there. */
  read(number) {
    return this.command('read', { number });
  }

  typing() {
    const now = this.clock.now();
    if (now - this.typedAt < TYPING_EACH_MS) return;
    this.typedAt = now;
    this.mention('typing');
  }

  /** The customer ends it. */
  leave() {
    return this.command('leave');
  }

  /**
   * Whether anybody is there, before anything is begun.
   * @param {Record<string, string>} [metadata] As of a start.
   * @returns {Promise<import('./state.js').Reception>}
   */
  async reception(metadata = {}) {
    return (await this.command('reception', { metadata })).answer;
  }

  /** The messages before those that are known. @param {number} [limit] */
  earlier(limit = 50) {
    return this.command('page', { before: this.current.messages[0]?.number, limit });
  }

  /**
   * The visitor has signed in: what was the visitor's is now the known customer's, and goes on as that.
   * @param {TokenSource} token
   * @param {string} [customer] As of the options.
   */
  async identify(token, customer) {
    const jwt = typeof token === 'function' ? await token() : token;
    await this.command('identify', { token: jwt });
    await this.core?.forget();
    this.stop();
    this.to = { ...this.to, token, customer };
    this.connect();
  }

  /** This customer's tokens are void from now on, everywhere; and nothing of it stays in this browser. */
  signOut() {
    return this.command('sign_out');
  }

  /** Nothing of it stays in this browser; the conversation goes on without it. */
  forget() {
    this.mention('local.forget');
  }
}
