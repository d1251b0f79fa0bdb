// What was asked and is not answered: sent when there is a connection, again with the same id after it broke, and again when the
// server said so. In a conversation one thing after the other; what a person wrote is in storage until it is answered.

import { advisedWithJitter } from '../shared/backoff.js';
import { ENTRIES_MAX } from '../shared/outbox.js';
import { AGAIN } from '../shared/refused.js';
import { FLEETING, IN_ORDER, KEPT } from './frames.js';

/**
 * @typedef {import('./frames.js').Command} Command
 * @typedef {import('../shared/outbox.js').Entry} Entry
 *
 * @typedef {object} Asked
 * @property {Command} command
 * @property {boolean} sent Over this connection.
 * @property {number} notBefore On the client's clock.
 *
 * @typedef {object} Around
 * @property {(frame: object) => boolean} send
 * @property {(frame: any) => void} tell The state, and the other tabs.
 */

const AGAIN_MS = 1_000;
/** Commands of no text that wait; beyond it the newest is refused. */
const ASKED_MAX = 1_000;

export class Commands {
  /**
   * @param {Pick<import('../shared/environment.js').Environment, 'random' | 'wall'>} env
   * @param {import('../shared/clock.js').Alarms} alarms
   * @param {import('../shared/outbox.js').Kept} kept
   * @param {Around} around
   */
  constructor(env, alarms, kept, around) {
    this.env = env;
    this.alarms = alarms;
    this.kept = kept;
    this.around = around;
    /** @type {Map<string, Asked>} In the order in which they were asked. */
    this.asked = new Map();
    this.frameBytesMax = Infinity;
  }

  /** @param {readonly Entry[]} entries What is in the state or in storage already. */
  takeOver(entries) {
    for (const { command, state } of entries) {
      if (state !== 'refused' && !this.asked.has(command.id)) this.asked.set(command.id, { command, sent: false, notBefore: 0 });
    }
    this.pump();
  }

  /** @param {Command} command */
  ask(command) {
    if (FLEETING.has(command.type)) return void this.around.send(command);
    // Another tab that was not heard asks again.
    if (this.asked.has(command.id)) return;
    const texts = [...this.asked.values()].filter((one) => KEPT.has(one.command.type)).length;
    const most = KEPT.has(command.type) ? ENTRIES_MAX : ASKED_MAX + texts;
    if (KEPT.has(command.type) ? texts >= most : this.asked.size >= most) {
      return this.refuse(command, { code: 'too_many', message: 'too much waits for a connection' });
    }
    this.asked.set(command.id, { command, sent: false, notBefore: 0 });
    if (KEPT.has(command.type)) {
      /** @type {Entry} */
      const entry = { id: command.id, command, at: this.env.wall(), state: 'waiting' };
      this.kept.keep(entry);
      this.around.tell({ type: 'local.queued', entry });
    }
    this.pump();
  }

  /** Sends what may be sent now. */
  pump() {
    const now = this.alarms.clock.now();
    const busy = new Set();
    let next = Infinity;
    for (const one of [...this.asked.values()]) {
      const line = lineOf(one.command);
      const inTurn = line === undefined || !busy.has(line);
      if (line !== undefined) busy.add(line);
      if (one.sent || !inTurn) continue;
      if (one.notBefore > now) next = Math.min(next, one.notBefore);
      else this.send(one);
    }
    if (next < Infinity) this.alarms.at('send again', next, () => this.pump());
    else this.alarms.clear('send again');
  }

  /** @param {Asked} one */
  send(one) {
    const { command } = one;
    const said = asSaid(command);
    const bytes = new TextEncoder().encode(JSON.stringify(said)).length;
    if (bytes > this.frameBytesMax) return this.refuse(command, { code: 'too_large', message: `over ${this.frameBytesMax} bytes` });
    if (!this.around.send(said)) return;
    one.sent = true;
    if (KEPT.has(command.type)) this.around.tell({ type: 'local.sent', id: command.id });
  }

  /**
   * @param {any} reply
   */
  answered(reply) {
    const one = typeof reply.id === 'string' ? this.asked.get(reply.id) : undefined;
    // Of no command of ours, or of one that was answered before.
    if (!one) return;
    const { error } = reply;
    if (error && AGAIN.has(error.code)) {
      one.sent = false;
      one.notBefore = this.alarms.clock.now() + advisedWithJitter(error.retry_after_ms ?? AGAIN_MS, this.env.random());
      if (KEPT.has(one.command.type)) this.around.tell({ type: 'local.waits', id: one.command.id });
      return this.pump();
    }
    this.asked.delete(reply.id);
    if (KEPT.has(one.command.type)) {
      if (error) this.kept.keep({ id: reply.id, command: one.command, at: this.env.wall(), state: 'refused', error });
      else this.kept.drop(reply.id);
    }
    this.around.tell({ ...reply, command: one.command });
    this.pump();
  }

  /**
   * The connection is gone: what was sent over it is sent again over the next.
   * @param {number | undefined} code
   */
  disconnected(code) {
    const sent = [...this.asked.values()].filter((one) => one.sent);
    for (const one of sent) one.sent = false;
    // A frame was too large, and would be again: the largest that was under way.
    if (code !== 1009) return;
    const largest = sent.sort((a, b) => JSON.stringify(b.command).length - JSON.stringify(a.command).length)[0];
    if (largest) this.refuse(largest.command, { code: 'too_large', message: 'the server does not take a frame of this size' });
  }

  /** @param {string} id */
  discard(id) {
    // What is under way may be done already: then its answer comes.
    if (this.asked.get(id)?.sent) return;
    this.asked.delete(id);
    this.kept.drop(id);
    this.around.tell({ type: 'local.discarded', id });
    this.pump();
  }

  /**
   * @param {Command} command
   * @param {import('./frames.js').WireError} error
   */
  refuse(command, error) {
    this.asked.delete(command.id);
    if (KEPT.has(command.type)) this.kept.keep({ id: command.id, command, at: this.env.wall(), state: 'refused', error });
    this.around.tell({ type: 'reply', id: command.id, error, command });
  }
}

/**
 * A message's files are named; what they are, which is shown meanwhile, the server knows.
 * @param {Command} command
 */
function asSaid(command) {
  return command.files ? { ...command, files: command.files.map((/** @type {{ file: string }} */ { file }) => file) } : command;
}

/**
 * What goes one after the other.
 * @param {Command} command
 */
function lineOf(command) {
  if (command.type === 'set_status' || command.type === 'next_status') return 'status';
  return IN_ORDER.has(command.type) ? command.conversation : undefined;
}
