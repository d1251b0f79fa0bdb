// The client's own clock, and what is due on it. A timer only hurries: whoever is late (a hidden tab's timers fire once a minute)
// finds the same things due at the next event, whatever that is.

/** @typedef {import('./environment.js').Environment} Environment */

/** So much more on the wall than on the monotonic clock is no correction of a clock: the machine slept. */
const SLEPT_MS = 5_000;

export class Clock {
  /** @param {Pick<Environment, 'monotonic' | 'wall'>} env */
  constructor(env) {
    this.env = env;
    this.last = { monotonic: env.monotonic(), wall: env.wall() };
    /** What the monotonic clock left out, since many stand still while the machine sleeps. */
    this.asleep = 0;
    this.woke = false;
  }

  /** Milliseconds, never back, with the time that the machine slept. */
  now() {
    const now = { monotonic: this.env.monotonic(), wall: this.env.wall() };
    const missing = now.wall - this.last.wall - (now.monotonic - this.last.monotonic);
    if (missing > SLEPT_MS) {
      this.asleep += missing;
      this.woke = true;
    }
    this.last = now;
    return now.monotonic + this.asleep;
  }

  /** Whether the machine slept since this was asked last. */
  takeWoke() {
    this.now();
    const woke = this.woke;
    this.woke = false;
    return woke;
  }
}

/** The longest that a timer is set for: so a machine that slept is noticed, and a long time does not overflow the timer. */
const TIMER_MS_MAX = 15_000;

export class Alarms {
  /**
   * @param {Pick<Environment, 'setTimeout' | 'clearTimeout'>} env
   * @param {Clock} clock
   */
  constructor(env, clock) {
    this.env = env;
    this.clock = clock;
    /** @type {Map<string, { due: number, run: () => void }>} */
    this.set = new Map();
    /** @type {unknown} */
    this.timer = undefined;
  }

  /**
   * One alarm of each name.
   * @param {string} name
   * @param {number} due On the client's clock.
   * @param {() => void} run
   */
  at(name, due, run) {
    this.set.set(name, { due, run });
    this.wind();
  }

  /** @param {string} name */
  clear(name) {
    this.set.delete(name);
    this.wind();
  }

  clearAll() {
    this.set.clear();
    this.wind();
  }

  /** @param {string} name */
  dueOf(name) {
    return this.set.get(name)?.due;
  }

  /** Runs what is due. Called by the timer, and by whatever else happens. */
  tick() {
    const now = this.clock.now();
    for (const [name, alarm] of [...this.set]) {
      // One that ran before it may have cleared or moved this one.
      if (alarm.due > now || this.set.get(name) !== alarm) continue;
      this.set.delete(name);
      alarm.run();
    }
    this.wind();
  }

  wind() {
    if (this.timer !== undefined) this.env.clearTimeout(this.timer);
    this.timer = undefined;
    if (this.set.size === 0) return;
    const first = Math.min(...[...this.set.values()].map(({ due }) => due));
    const ms = Math.min(Math.max(first - this.clock.now(), 0), TIMER_MS_MAX);
    this.timer = this.env.setTimeout(() => {
      this.timer = undefined;
      this.tick();
    }, ms);
  }
}
