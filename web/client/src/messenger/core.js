// What the tab that has the stream does: makes the calls, follows the conversation, reads what is missing, and keeps what is worth it for
// after a reload.

import { Kept } from '../shared/outbox.js';
import { bearerOf } from '../shared/scope.js';
import { callOf } from './calls.js';
import { Following } from './following.js';
import { Line } from './line.js';
import { missing, worthKeeping } from './state.js';
import { call } from './stream.js';

/**
 * @typedef {import('../shared/client.js').Command} Command
 * @typedef {import('../agent/link.js').TokenSource} TokenSource
 * @typedef {import('./state.js').MessengerState} MessengerState
 */

const KEPT = new Set(['start', 'send']);
/** These only look; none of them waits behind what is written. */
const LOOKS = new Set(['list', 'page', 'look', 'reception', 'transcript']);
const MESSAGES_KEPT = 50;
const PAGE = 200;
const TOKEN_MARGIN_MS = 30_000;

export class Core {
  /**
   * @param {import('../shared/environment.js').Environment} env
   * @param {import('../shared/clock.js').Alarms} alarms
   * @param {{ base: string, scope: string, token: TokenSource | undefined }} to `token`: of a known customer.
   * @param {{ state: () => MessengerState, tell: (frame: any) => void }} around
   */
  constructor(env, alarms, { base, scope, token }, around) {
    this.env = env;
    this.base = base;
    this.key = `${scope}|conversation`;
    this.known = token;
    /** Of an anonymous customer, as the start gave it. @type {string | undefined} */
    this.visitor = undefined;
    /** The last that the function gave. @type {string | undefined} */
    this.fetched = undefined;
    this.refused = '';
    this.around = around;
    this.kept = new Kept(env.storage, scope);
    this.healing = -1;
    /** What a known customer began before it was known what it has; while that is looked up. @type {Command[] | undefined} */
    this.held = undefined;
    this.following = new Following(env, alarms, {
      token: (refused) => {
        if (refused === this.fetched) this.fetched = undefined;
        return this.token();
      },
      what: () => {
        const { conversation, last_event } = around.state();
        return conversation?.conversation ? { url: `${base}/conversations/${conversation.conversation}/events`, after: last_event } : undefined;
      },
      link: (link) => {
        around.tell({ type: 'local.link', link });
        if (link.phase === 'connecting') this.healing = -1;
      },
      event: (event) => {
        around.tell(event);
        this.changed();
      },
      anew: () => around.tell({ type: 'local.anew' }),
    });
    const line = (/** @type {string} */ name) =>
      new Line(env, alarms, name, {
        call: (command, signal) => this.call(command, signal),
        sent: (command) => KEPT.has(command.type) && around.tell({ type: 'local.sent', id: command.id }),
        waits: () => around.tell({ type: 'local.waits' }),
        answered: (command, answer) => this.answered(command, answer),
      });
    this.writes = line('writes');
    this.looks = line('looks');
  }

  /** From where it was before a reload, or before another tab's end. */
  async start() {
    const entries = await this.kept.load();
    const saved = await this.load();
    this.visitor = saved.token;
    if (saved.state && !this.around.state().conversation) this.around.tell({ type: 'local.resumed', kept: saved.state });
    for (const entry of entries) this.around.tell({ type: 'local.queued', entry });
    const pending = this.around.state().pending.filter(({ state }) => state !== 'refused');
    for (const { command, held } of pending) if (!held) this.writes.ask(command);
    if (this.around.state().conversation) this.follow();
    // A known customer's conversations are known by the token alone.
    else if (this.known !== undefined && this.writes.asked.size === 0) {
      this.held = pending.map(({ command }) => command);
      this.looks.ask({ type: 'look', id: this.env.id() });
    }
  }

  follow() {
    void this.following.start();
  }

  /** A function is asked again when its last token ends, or was refused. */
  async token() {
    if (typeof this.known !== 'function') return this.known ?? this.visitor;
    const { exp } = /** @type {{ exp?: unknown }} */ (bearerOf(this.fetched ?? ''));
    const ends = typeof exp === 'number' && exp * 1_000 - this.env.wall() < TOKEN_MARGIN_MS;
    if (this.fetched === undefined || ends) this.fetched = await this.known();
    return this.fetched;
  }

  /** @param {Command} command */
  ask(command) {
    const { type, id } = command;
    if (type === 'typing') return void this.mention(command);
    if (type === 'local.discard') return this.discard(command.entry);
    if (type === 'local.forget') return void this.forget();
    const line = LOOKS.has(type) ? this.looks : this.writes;
    const held = type === 'start' ? this.held : undefined;
    if (line.asked.has(id) || this.held?.some((one) => one.id === id)) return;
    if (held) held.push(command);
    else if (!line.ask(command)) return this.refuse(command, 'too_many', 'too much waits for a connection');
    if (!KEPT.has(type)) return;
    /** @type {import('../shared/outbox.js').Entry} */
    const entry = { id, command, at: this.env.wall(), state: line.running && line.asked.size === 1 ? 'sent' : 'waiting', ...(held && { held: true }) };
    void this.kept.keep(entry);
    this.around.tell({ type: 'local.queued', entry });
  }

  /** @param {Command} command */
  async mention({ id }) {
    const conversation = this.around.state().conversation?.conversation;
    const token = await this.token().catch(() => undefined);
    if (!conversation || !token) return;
    await call(this.env, { method: 'POST', url: `${this.base}/conversations/${conversation}/typing`, token, id, signal: new AbortController().signal });
  }

  /** @param {Command} command @param {AbortSignal} signal @returns {Promise<import('./stream.js').Answer>} */
  async call(command, signal) {
    const token = await this.token();
    const answer = await this.callAs(command, signal, token);
    const refused = 'error' in answer && answer.status === 401 && typeof this.known === 'function' && token !== undefined;
    if (!refused) return answer;
    if (this.fetched === token) this.fetched = undefined;
    // Once more, with a fresh one.
    const again = token !== this.refused;
    this.refused = token;
    return again ? { broken: true } : answer;
  }

  /** @param {Command} command @param {AbortSignal} signal @param {string | undefined} token @returns {Promise<import('./stream.js').Answer>} */
  async callAs(command, signal, token) {
    const asked = callOf(command, this.around.state().conversation?.conversation, this.visitor);
    if ('code' in asked) return { status: 0, error: asked };
    const { method, path, body, isText } = asked;
    const as = command.type === 'identify' ? command.token : token;
    return call(this.env, { method, url: this.base + path, token: as, ...(method === 'POST' && { id: command.id }), body, isText, signal });
  }

  /** @param {Command} command @param {Exclude<import('./stream.js').Answer, { broken: true }>} answer */
  answered(command, answer) {
    const { id, type } = command;
    if ('error' in answer) {
      if (type === 'look') this.release();
      if (KEPT.has(type)) void this.kept.keep({ id, command, at: this.env.wall(), state: 'refused', error: answer.error });
      return this.around.tell({ type: 'reply', id, command: told(command), error: answer.error });
    }
    const { token, ...ok } = answer.ok ?? {};
    if (type === 'start' && typeof token === 'string') this.visitor = token;
    if (type === 'page') {
      // Of the end or backwards, and no more: the first message is among them.
      const before = command.after === undefined ? ok.more : undefined;
      this.around.tell({ type: 'local.page', messages: ok.messages, before });
    }
    if (type === 'look') {
      const [newest] = ok.conversations ?? [];
      const goesOn = newest && newest.state !== 'closed';
      if (goesOn) this.resume(newest);
      this.release(goesOn);
    }
    this.around.tell({ type: 'reply', id, command: told(command), answer: ok });
    // Only when the state has it, and storage whatever it needs to find it again: a reload between them asks once more.
    this.changed();
    if (KEPT.has(type)) void this.kept.drop(id);
    if (type === 'start') this.follow();
    if (type === 'sign_out') void this.forget();
  }

  /** What was begun meanwhile is a message, where there is a conversation that goes on: nobody begins a second one by accident. @param {boolean} [goesOn] */
  release(goesOn = false) {
    for (const { id, type, text, ...rest } of this.held?.splice(0) ?? []) {
      const command = goesOn && text !== undefined ? { id, type: 'send', text } : { id, type, text, ...rest };
      void this.kept.keep({ id, command, at: this.env.wall(), state: 'waiting' });
      this.writes.ask(command);
    }
    this.held = undefined;
  }

  /** @param {any} conversation */
  resume(conversation) {
    this.around.tell({ type: 'local.conversation', conversation });
    this.follow();
  }

  /** @param {Command} command @param {string} code @param {string} message */
  refuse(command, code, message) {
    this.around.tell({ type: 'reply', id: command.id, command: told(command), error: { code, message } });
  }

  /** Something was heard: what is missing is asked for, and what is worth it is kept. */
  changed() {
    const state = this.around.state();
    const after = missing(state);
    // What was asked from there and did not come is not asked for ever.
    if (after !== undefined && after !== this.healing) {
      this.healing = after;
      this.looks.ask({ type: 'page', id: this.env.id(), after, limit: PAGE });
    }
    void this.save({ token: this.visitor, state: worthKeeping(state, MESSAGES_KEPT) });
  }

  /** @param {string} id */
  discard(id) {
    this.held = this.held?.filter((one) => one.id !== id);
    if (!this.writes.discard(id)) return;
    void this.kept.drop(id);
    this.around.tell({ type: 'local.discarded', id });
  }

  async forget() {
    this.following.stop('idle');
    this.visitor = undefined;
    for (const { id } of this.around.state().pending) this.discard(id);
    this.around.tell({ type: 'local.forgotten' });
    try {
      await this.env.storage.remove(this.key);
    } catch {
      // It is overwritten by the next.
    }
  }

  /** @param {{ token: string | undefined, state: object }} saved */
  async save(saved) {
    try {
      await this.env.storage.write(this.key, JSON.stringify(saved));
    } catch {
      // Full, or forbidden: after a reload it begins anew.
    }
  }

  /** @returns {Promise<{ token?: string, state?: object }>} */
  async load() {
    try {
      const saved = JSON.parse((await this.env.storage.read(this.key)) ?? '{}');
      return typeof saved?.state?.conversation?.conversation === 'string' ? saved : {};
    } catch {
      return {};
    }
  }

  nudge() {
    this.following.nudge();
    this.writes.nudge();
    this.looks.nudge();
  }

  /** @param {string} why */
  stop(why) {
    this.writes.stop();
    this.looks.stop();
    this.following.stop(why);
  }
}

/** As it may go to other tabs and into the state: no token. @param {Command} command */
function told({ token: _, ...command }) {
  return command;
}
