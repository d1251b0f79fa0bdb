// What both clients have in common: a state and who looks at it, questions and who waits for their answers, and the other tabs. A client
// that leads has the connection; one that follows hears the same frames from the tab that leads, and comes to the same state.

import { Alarms, Clock } from './clock.js';
import { environment } from './environment.js';
import { Refused } from './refused.js';
import { Tabs } from './tabs.js';

/**
 * @template S
 * @typedef {object} Rules
 * @property {(state: S, frame: any) => S} reduce
 * @property {(state: S, ms: number) => S} shifted The same as of another tab's clock.
 */

/**
 * @typedef {import('./environment.js').Environment} Environment
 * @typedef {{ type: string, id: string } & Record<string, any>} Command
 */

/** At these a connection is likely, or a dead one is noticed. */
const NUDGES = ['online', 'visibilitychange', 'pageshow', 'resume'];

/** @template S */
export class SharedClient {
  /**
   * @param {Partial<Environment> | undefined} given
   * @param {boolean} shared
   * @param {Rules<S>} rules
   * @param {S} state
   */
  constructor(given, shared, rules, state) {
    this.env = environment(given);
    this.shared = shared;
    this.rules = rules;
    /** The client's own clock: times in the state are on it. */
    this.clock = new Clock(this.env);
    this.alarms = new Alarms(this.env, this.clock);
    this.current = state;
    /** @type {Set<(state: S, frame: any) => void>} */
    this.listeners = new Set();
    /** @type {Map<string, { command: Command, done: (reply: any) => void, fail: (error: Refused) => void }>} */
    this.waiting = new Map();
    /** @type {Tabs | undefined} */
    this.tabs = undefined;
    /** @type {(() => void)[]} */
    this.deaf = [];
  }

  /** As of now. Not to be changed: each change is another value. */
  get state() {
    return this.current;
  }

  /** Milliseconds on the client's clock, which times in the state are on. */
  now() {
    return this.clock.now();
  }

  /**
   * @param {(state: S, frame: any) => void} listener Hears each new state, and the frame that made it.
   * @returns {() => void} Ends it.
   */
  subscribe(listener) {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  /**
   * Of the tab that leads: what was heard, or became of something, goes into the state, and to the other tabs.
   * @param {any} frame
   */
  tell(frame) {
    const heard = { ...frame, heard_at: this.clock.now() };
    this.apply(heard);
    this.tabs?.tell(heard);
  }

  /** @param {any} frame */
  apply(frame) {
    this.current = this.rules.reduce(this.current, frame);
    if (frame.type === 'reply') this.settle(frame);
    for (const listener of [...this.listeners]) {
      // Whoever shows the state must not keep the connection from going on.
      try {
        listener(this.current, frame);
      } catch (error) {
        this.env.setTimeout(() => {
          throw error;
        }, 0);
      }
    }
  }

  /** @param {any} reply */
  settle(reply) {
    const one = this.waiting.get(reply.id);
    if (!one) return;
    this.waiting.delete(reply.id);
    if (reply.error) one.fail(new Refused(reply.error));
    else one.done(reply);
  }

  /**
   * Asks once, however often it has to be sent for that.
   * @param {string} type
   * @param {Record<string, unknown>} [members]
   * @returns {Promise<any>} The reply. Rejected with `Refused`, when the server has refused it for good.
   */
  command(type, members = {}) {
    /** @type {Command} */
    const command = { type, id: this.env.id() };
    for (const [name, value] of Object.entries(members)) if (value !== undefined) command[name] = value;
    const promise = new Promise((done, fail) => this.waiting.set(command.id, { command, done, fail }));
    // Who looks at the state alone needs no answer.
    promise.catch(() => {});
    this.hand(command);
    return promise;
  }

  /**
   * The same where nobody waits for an answer, and where it is lost when there is no connection.
   * @param {string} type
   * @param {Record<string, unknown>} [members]
   */
  mention(type, members = {}) {
    this.hand({ ...members, type, id: this.env.id() });
  }

  /** @param {Command} command */
  hand(command) {
    if (this.tabs?.leads) this.ask(command);
    else this.tabs?.ask(command);
  }

  /**
   * Once it is known whose tabs belong together.
   * @param {string} scope
   */
  join(scope) {
    const env = this.shared ? this.env : { ...this.env, locks: undefined };
    this.tabs = new Tabs(env, scope, {
      lead: () => void this.lead(),
      follow: () => this.repeat(),
      frame: (frame, age) => {
        // The leader's clock is another than ours.
        const heard_at = this.clock.now() - age;
        const retry_at = frame.link?.retry_at;
        const link = retry_at === undefined ? frame.link : { ...frame.link, retry_at: retry_at - frame.heard_at + heard_at };
        this.apply({ ...frame, ...(link && { link }), heard_at });
      },
      state: (state, now) => {
        this.current = this.rules.shifted(state, this.clock.now() - now);
        this.apply({ type: 'local.joined', heard_at: this.clock.now() });
      },
      whole: () => ({ state: this.current, now: this.clock.now() }),
      command: (command) => this.ask(command),
      nudge: () => this.nudge(),
    });
    this.listen();
    this.tabs.join();
  }

  /** What this tab waits for, to a leader who may not know of it: it is done once. */
  repeat() {
    for (const { command } of this.waiting.values()) this.hand(command);
  }

  listen() {
    const nudge = () => {
      if (this.env.isHidden()) return;
      if (this.tabs?.leads) this.nudge();
      else this.tabs?.nudge();
    };
    this.deaf = NUDGES.map((name) => this.env.listen(name, nudge));
    // A page that is put away gives the connection to one that is not, and asks for it again when it is back.
    const away = () => {
      if (!this.tabs?.leads || !this.env.locks) return;
      this.retire();
      this.tabs.leave();
    };
    const back = () => this.tabs?.join();
    this.deaf.push(
      this.env.listen('freeze', away),
      this.env.listen('pagehide', (event) => event?.persisted && away()),
      this.env.listen('resume', back),
      this.env.listen('pageshow', back),
    );
  }

  /** @param {string} why */
  end(why) {
    const { tabs } = this;
    // First, so that a listener that ends it once more ends nothing.
    this.tabs = undefined;
    this.alarms.clearAll();
    for (const hear of this.deaf) hear();
    this.deaf = [];
    if (tabs?.leads) this.retire(why);
    tabs?.leave();
  }

  /**
   * Of the tab that leads: does it, or sees to it that it is done.
   * @param {Command} _command
   */
  ask(_command) {}

  /** This tab has the connection from now on. @returns {void | Promise<void>} */
  lead() {}

  /**
   * It has it no more.
   * @param {string} [_why]
   */
  retire(_why) {}

  nudge() {}
}
