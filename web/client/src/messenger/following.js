// The life of a customer's stream: when it is opened, given up, and opened again behind the last event that was seen.
//
//   idle ──start──▶ connecting ──answered──▶ live
//                     ▲    │ refused for now,   │ ended, silent, slept
//                     │    ▼ broken             ▼
//                     └─ offline ◀──────────────┘        ──gone, forbidden, no token──▶ stopped

import { advisedWithJitter, fullJitter } from '../shared/backoff.js';
import { follow } from './stream.js';

/**
 * @typedef {import('./state.js').Link} Link
 *
 * @typedef {object} Around
 * @property {(refused?: string) => Promise<string | undefined>} token Another than the refused one, or none.
 * @property {() => { url: string, after: number } | undefined} what
 * @property {(link: Link) => void} link
 * @property {(event: any) => void} event
 * @property {() => void} anew The server knows fewer events than we.
 */

/** The server sends a sign of life every 15 s. */
const SILENCE_MS = 45_000;
const SETTLED_MS = 10_000;

export class Following {
  /**
   * @param {import('../shared/environment.js').Environment} env
   * @param {import('../shared/clock.js').Alarms} alarms
   * @param {Around} around
   */
  constructor(env, alarms, around) {
    this.env = env;
    this.alarms = alarms;
    this.clock = alarms.clock;
    this.around = around;
    /** @type {Link} */
    this.state = { phase: 'idle' };
    this.opening = 0;
    this.attempt = 0;
    this.liveSince = 0;
    this.advised = false;
    /** @type {(() => void) | undefined} */
    this.end = undefined;
    this.refused = '';
  }

  /** From now on, or of another conversation. */
  async start() {
    this.drop();
    const opening = ++this.opening;
    this.listen();
    // Whoever looks at the state may end it there and then.
    this.become({ phase: 'connecting' });
    if (opening !== this.opening) return;
    let token;
    try {
      token = await this.around.token(this.refused || undefined);
    } catch {
      if (opening === this.opening) this.over({});
      return;
    }
    if (opening !== this.opening) return;
    const what = this.around.what();
    if (!what) return this.stop('idle');
    if (!token || token === this.refused) return this.stop('unauthorized');
    this.end = follow(this.env, { ...what, token }, {
      opened: () => {
        if (opening !== this.opening) return;
        this.liveSince = this.clock.now();
        this.refused = '';
        this.become({ phase: 'live' });
      },
      alive: () => {
        if (opening !== this.opening) return;
        this.listen();
        // Bytes come in hidden tabs too, where timers hardly do.
        this.alarms.tick();
      },
      event: (event) => opening === this.opening && this.around.event(event),
      ended: (ended) => {
        if (opening !== this.opening) return;
        if (ended.status === 401 && token) this.refused = token;
        this.over(ended);
      },
    });
  }

  listen() {
    this.alarms.at('silence', this.clock.now() + SILENCE_MS, () => this.over({}));
  }

  /** @param {{ retry_ms?: number, status?: number, error?: { code: string, retry_after_ms?: number } }} ended */
  over({ retry_ms, status, error }) {
    if (this.state.phase === 'live' && this.clock.now() - this.liveSince >= SETTLED_MS) this.attempt = 0;
    this.drop();
    const random = this.env.random();
    // The server ended it, and said when to come back: each stream another moment.
    if (retry_ms !== undefined) return this.comeBackIn(retry_ms, true);
    if (error?.retry_after_ms !== undefined) return this.comeBackIn(advisedWithJitter(error.retry_after_ms, random), true);
    const { opening } = this;
    if (error?.code === 'bad_cursor') this.around.anew();
    else if (status === 403 || status === 404 || status === 400) return this.stop(error?.code ?? String(status));
    if (opening === this.opening) this.comeBackIn(fullJitter(this.attempt, random), false);
  }

  /** @param {number} ms @param {boolean} advised */
  comeBackIn(ms, advised) {
    this.attempt += 1;
    this.advised = advised;
    const due = this.clock.now() + ms;
    this.alarms.at('come back', due, () => void this.start());
    this.become({ phase: 'offline', retry_at: due });
  }

  nudge() {
    const woke = this.clock.takeWoke();
    // A stream that slept may have ended on the other side without a word reaching us.
    if (woke && (this.state.phase === 'live' || this.state.phase === 'connecting')) {
      this.drop();
      return this.comeBackIn(fullJitter(0, this.env.random()), false);
    }
    if (this.state.phase !== 'offline' || this.advised) return;
    const due = this.clock.now() + fullJitter(0, this.env.random());
    if (due < (this.state.retry_at ?? 0)) this.comeBackIn(due - this.clock.now(), false);
  }

  drop() {
    this.opening++;
    this.end?.();
    this.end = undefined;
    this.alarms.clear('silence');
    this.alarms.clear('come back');
  }

  /** @param {string} why */
  stop(why) {
    this.drop();
    this.become(why === 'idle' ? { phase: 'idle' } : { phase: 'stopped', why });
  }

  /** @param {Link} link */
  become(link) {
    this.state = link;
    this.around.link(link);
  }
}
