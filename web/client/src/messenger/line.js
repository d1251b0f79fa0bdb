// Calls that are made one after the other, each until it has an answer: again with the same id when the connection broke, and when the
// server said so.

import { advisedWithJitter, fullJitter } from '../shared/backoff.js';
import { isForNow } from '../shared/refused.js';

/**
 * @typedef {import('../shared/client.js').Command} Command
 * @typedef {import('./stream.js').Answer} Answer
 *
 * @typedef {object} Around
 * @property {(command: Command, signal: AbortSignal) => Promise<Answer>} call
 * @property {(command: Command) => void} sent
 * @property {(command: Command) => void} waits
 * @property {(command: Command, answer: Exclude<Answer, { broken: true }>) => void} answered For good.
 */

/** So long without an answer is as good as a broken connection. */
const ANSWER_MS = 30_000;
const CALLS_MAX = 600;

export class Line {
  /**
   * @param {Pick<import('../shared/environment.js').Environment, 'random'>} env
   * @param {import('../shared/clock.js').Alarms} alarms
   * @param {string} name Of its alarms.
   * @param {Around} around
   */
  constructor(env, alarms, name, around) {
    this.env = env;
    this.alarms = alarms;
    this.name = name;
    this.around = around;
    /** @type {Map<string, Command>} In the order in which they were asked. */
    this.asked = new Map();
    this.attempt = 0;
    this.notBefore = 0;
    this.advised = false;
    /** @type {AbortController | undefined} */
    this.running = undefined;
    this.stopped = false;
  }

  /** @param {Command} command @returns {boolean} Whether it has a place. */
  ask(command) {
    if (this.asked.size >= CALLS_MAX && !this.asked.has(command.id)) return false;
    if (!this.asked.has(command.id)) this.asked.set(command.id, command);
    this.pump();
    return true;
  }

  /** @param {string} id @returns {boolean} Whether it is asked no more; what is under way cannot be taken back. */
  discard(id) {
    const [first] = this.asked.keys();
    if (this.running && first === id) return false;
    return this.asked.delete(id) || true;
  }

  pump() {
    const [first] = this.asked.values();
    if (this.stopped || this.running || !first) return;
    const now = this.alarms.clock.now();
    if (this.notBefore > now) this.alarms.at(this.name, this.notBefore, () => this.pump());
    else void this.run(first);
  }

  /** A connection is likely now. */
  nudge() {
    if (this.running || this.advised) return;
    this.notBefore = Math.min(this.notBefore, this.alarms.clock.now() + fullJitter(0, this.env.random()));
    this.pump();
  }

  /** @param {Command} command */
  async run(command) {
    const running = (this.running = new AbortController());
    this.around.sent(command);
    this.alarms.at(`${this.name} answer`, this.alarms.clock.now() + ANSWER_MS, () => running.abort());
    /** @type {Answer} */
    let answer;
    try {
      answer = await this.around.call(command, running.signal);
    } catch {
      // A token that could not be had, or an environment without fetch.
      answer = { broken: true };
    }
    this.alarms.clear(`${this.name} answer`);
    if (this.stopped) return;
    this.running = undefined;
    if ('broken' in answer || ('error' in answer && isForNow(answer))) {
      const advised = 'error' in answer ? answer.error.retry_after_ms : undefined;
      const random = this.env.random();
      const wait = advised === undefined ? fullJitter(this.attempt, random) : advisedWithJitter(advised, random);
      this.advised = advised !== undefined;
      this.attempt += 1;
      this.notBefore = this.alarms.clock.now() + wait;
      this.around.waits(command);
    } else {
      this.attempt = 0;
      this.advised = false;
      this.asked.delete(command.id);
      this.around.answered(command, answer);
    }
    this.pump();
  }

  stop() {
    this.stopped = true;
    this.running?.abort();
    this.alarms.clear(this.name);
    this.alarms.clear(`${this.name} answer`);
  }
}
