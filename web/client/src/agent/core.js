// What the tab that has the connection does beside holding it: asks for further pages of the snapshot, for messages that are missing and for
// what was watched, renews the token, and gives each answer to whoever asked.

import { bearerOf } from '../shared/scope.js';
import { Commands } from './commands.js';
import { Link } from './link.js';
import { missing } from './state.js';

/**
 * @typedef {import('./frames.js').Command} Command
 * @typedef {import('./state.js').AgentState} AgentState
 *
 * @typedef {object} Around
 * @property {() => AgentState} state
 * @property {(frame: any) => void} tell
 */

/** The most that one page of history gives. */
const PAGE = 200;
const AGAIN_MS = 1_000;
/** So long before a token ends a new one is asked for. */
const TOKEN_MARGIN_MS = 60_000;

export class Core {
  /**
   * @param {import('../shared/environment.js').Environment} env
   * @param {import('../shared/clock.js').Alarms} alarms
   * @param {import('../shared/outbox.js').Kept} kept
   * @param {{ url: string, token: import('./link.js').TokenSource, ticket?: string, ticketKey: string }} to
   * @param {Around} around
   */
  constructor(env, alarms, kept, to, around) {
    this.env = env;
    this.alarms = alarms;
    this.around = around;
    this.kept = kept;
    this.ticketKey = to.ticketKey;
    this.link = new Link(env, alarms, to, {
      link: (link) => {
        around.tell({ type: 'local.link', link });
        if (link.phase === 'live' && this.link.isLive) this.lives();
      },
      frame: (frame) => this.hear(frame),
      ended: (code) => {
        this.own = this.probe = '';
        this.healing.clear();
        this.commands.disconnected(code);
      },
      silent: () => this.ask({ type: 'refresh', id: (this.probe = env.id()), token: this.link.token }),
    });
    this.commands = new Commands(env, alarms, kept, { send: (frame) => this.link.send(frame), tell: around.tell });
    /** The command that asks for the next page, and the one whose answer only shows that somebody is there. */
    this.own = this.probe = '';
    /** Conversation -> from where on messages were asked for. @type {Map<string, number>} */
    this.healing = new Map();
    /** What is watched again over each connection. @type {Map<string, Record<string, unknown>>} */
    this.watching = new Map();
  }

  /** @param {readonly import('../shared/outbox.js').Entry[]} entries What waits already. */
  start(entries) {
    // Of the tab that led before this one.
    for (const what of Object.keys(this.around.state().watched)) this.watching.set(what, { what });
    this.commands.takeOver(entries);
    this.link.start();
  }

  /** @param {Command} command */
  ask(command) {
    // Neither is a deed that outlives its connection.
    if (command.type === 'refresh' || command.type === 'own') return void this.link.send(command);
    const { type, id: _, ...members } = command;
    if (type === 'watch') this.watching.set(String(command.what), members);
    if (type === 'unwatch') this.watching.delete(String(command.what));
    this.commands.ask(command);
  }

  /** Welcomed. */
  lives() {
    this.commands.frameBytesMax = this.around.state().settings?.frame_bytes_max ?? Infinity;
    this.renewInTime();
    const waits = new Set([...this.commands.asked.values()].map(({ command }) => command.type === 'watch' && command.what));
    for (const [what, members] of this.watching) {
      if (!waits.has(what)) this.commands.ask({ ...members, type: 'watch', id: this.env.id() });
    }
    this.commands.pump();
    this.complete();
  }

  /** @param {any} frame */
  hear(frame) {
    if (frame?.type === 'reply') return this.hearReply(frame);
    this.around.tell(frame);
    if (frame?.type === 'welcome' && typeof frame.ticket === 'string') {
      // It gives priority, never identity: a reloaded page is no stranger.
      Promise.resolve()
        .then(() => this.env.storage.write(this.ticketKey, frame.ticket))
        .catch(() => {});
    }
    if (frame?.type === 'snapshot') this.complete();
    if (frame?.type === 'message') this.heal(frame.conversation);
    if (frame?.type === 'conversation') this.heal(frame.conversation?.conversation);
  }

  /** @param {any} reply */
  hearReply(reply) {
    if (reply.id === this.probe && this.probe) {
      this.probe = '';
    } else if (reply.id === this.own && this.own) {
      this.own = '';
      if (reply.ok) this.around.tell({ ...reply, command: { type: 'own' } });
      // A cursor that is none any more: the next snapshot begins anew.
      else if (reply.error?.code === 'bad_cursor') return this.link.over({});
      const wait = reply.ok ? 0 : (reply.error?.retry_after_ms ?? AGAIN_MS);
      if (wait === 0) this.complete();
      else this.alarms.at('page', this.alarms.clock.now() + wait, () => this.complete());
    } else {
      const conversation = this.commands.asked.get(reply.id)?.command.conversation;
      this.commands.answered(reply);
      if (typeof conversation === 'string') this.heal(conversation);
    }
  }

  /** Asks for what the snapshot had no room for, and then for what was said meanwhile. */
  complete() {
    const { cursor } = this.around.state();
    if (cursor === undefined) {
      this.own = '';
      this.heal();
    } else if (this.link.isLive) {
      this.own = this.env.id();
      this.ask({ type: 'own', id: this.own, cursor });
    }
  }

  /**
   * Asks for messages that are missing between, or behind, those that are known.
   * @param {string} [only] Of this conversation.
   */
  heal(only) {
    if (!this.link.isLive) return;
    const state = this.around.state();
    for (const id of only === undefined ? Object.keys(state.conversations) : [only]) {
      const after = missing(state, id);
      // What was asked from there and did not come is not asked for ever.
      if (after === undefined || this.healing.get(id) === after) continue;
      this.healing.set(id, after);
      this.commands.ask({ type: 'history', id: this.env.id(), conversation: id, after, limit: PAGE });
    }
  }

  /** A new token before the old one ends, where there is somebody to ask. */
  renewInTime() {
    const { token } = this.link.to;
    const { exp } = /** @type {{ exp?: unknown }} */ (bearerOf(this.link.token));
    if (typeof token !== 'function' || typeof exp !== 'number') return;
    const left = exp * 1_000 - this.env.wall();
    this.alarms.at('token', this.alarms.clock.now() + left - Math.min(TOKEN_MARGIN_MS, left / 4), () => this.renew(token));
  }

  /** @param {() => string | Promise<string>} source */
  async renew(source) {
    try {
      const token = await source();
      if (!this.link.isLive || token === this.link.token) return;
      this.link.token = token;
      this.ask({ type: 'refresh', id: (this.probe = this.env.id()), token });
      this.renewInTime();
    } catch {
      // The session goes on until the old one ends, and then asks again.
    }
  }

  nudge() {
    this.link.nudge();
  }

  /** @param {string} why `idle`: another tab goes on. */
  stop(why) {
    this.link.stop(why);
    this.alarms.clearAll();
  }
}
