// The life of the agent's connection: when it is opened, when it is given up, and when it comes back.
//
//   idle ──start──▶ connecting ──welcome──▶ live
//                     ▲    │  ended, no welcome  │ ended, silent, slept
//                     │    ▼                     ▼
//                     └─ waiting ◀───────────────┘        ──a code that does not come back──▶ stopped ──token, start──▶ connecting
//
// It never sends a status: a connection that comes and goes is no choice of the person's.

import { fullJitter } from '../shared/backoff.js';
import { comeBack } from './come_back.js';
import { openSocket } from './socket.js';

/**
 * @typedef {import('../shared/environment.js').Environment} Environment
 * @typedef {import('./state.js').Link} LinkState
 * @typedef {string | (() => string | Promise<string>)} TokenSource A token, or where a fresh one comes from.
 *
 * @typedef {object} Heard
 * @property {(link: LinkState) => void} link
 * @property {(frame: any) => void} frame
 * @property {(code: number | undefined) => void} ended Before it is decided when to come back.
 * @property {() => void} silent Nothing has been heard for long: something that is answered is to be sent.
 */

const WELCOME_MS = 20_000;
/** So long without a frame, and something that is answered is sent; so long without an answer, and the connection is given up. */
const QUIET_MS = 30_000;
const ANSWER_MS = 15_000;
/** What was heard just now need not be asked whether it is there. */
const FRESH_MS = 3_000;
/** A connection that lived so long was a good one: what fails next fails for the first time. */
const SETTLED_MS = 10_000;

export class Link {
  /**
   * @param {Environment} env
   * @param {import('../shared/clock.js').Alarms} alarms
   * @param {{ url: string, token: TokenSource, ticket?: string }} to
   * @param {Heard} heard
   */
  constructor(env, alarms, to, heard) {
    this.env = env;
    this.alarms = alarms;
    this.clock = alarms.clock;
    this.to = to;
    this.heard = heard;
    /** @type {LinkState} */
    this.state = { phase: 'idle' };
    this.attempt = 0;
    /** Which opening is under way: what belongs to an older one is not listened to. */
    this.opening = 0;
    /** @type {import('./socket.js').Open | undefined} */
    this.socket = undefined;
    this.token = '';
    this.refused = '';
    this.liveSince = 0;
    this.heardAt = 0;
    this.advised = false;
  }

  get isLive() {
    return this.state.phase === 'live';
  }

  start() {
    if (this.state.phase === 'idle' || this.state.phase === 'stopped') this.connect();
  }

  /** @param {string} why */
  stop(why) {
    this.drop();
    this.alarms.clear('come back');
    this.become({ phase: why === 'idle' ? 'idle' : 'stopped', ...(why !== 'idle' && { why }) });
  }

  /** @param {TokenSource} token */
  renew(token) {
    this.to = { ...this.to, token };
    if (this.state.phase === 'stopped' && this.state.why !== 'closed') this.connect();
  }

  /**
   * @param {object} frame
   * @returns {boolean} Whether it was handed to the connection, which says nothing of the server.
   */
  send(frame) {
    if (!this.isLive || !this.socket) return false;
    try {
      this.socket.send(frame);
      return true;
    } catch {
      return false;
    }
  }

  /** Something happened that makes a connection likely, or a dead one: the network is back, the tab is looked at again. */
  nudge() {
    if (this.clock.takeWoke()) return this.woke();
    this.alarms.tick();
    if (this.isLive) this.probe();
    // A time that the server named is kept: it is a place in a line. A whole office may have its network back at once.
    else if (this.state.phase === 'waiting' && !this.advised) this.sooner();
  }

  woke() {
    if (this.isLive || this.state.phase === 'connecting') {
      // The server let go long ago, or will: times left are not to be trusted, and a fresh welcome tells them.
      this.drop();
      const { opening } = this;
      this.heard.ended(undefined);
      if (opening !== this.opening) return;
      this.comeBackIn(fullJitter(0, this.env.random()), false);
    } else if (this.state.phase === 'waiting' && !this.advised) this.sooner();
    this.alarms.tick();
  }

  sooner() {
    const due = this.clock.now() + fullJitter(0, this.env.random());
    if (due < (this.state.retry_at ?? 0)) this.comeBackIn(due - this.clock.now(), false);
  }

  async connect() {
    const opening = ++this.opening;
    this.alarms.at('welcome', this.clock.now() + WELCOME_MS, () => this.over({}));
    // Whoever looks at the state may end it there and then.
    this.become({ phase: 'connecting' });
    if (opening !== this.opening) return;
    const { token } = this.to;
    let found;
    try {
      found = typeof token === 'function' ? await token() : token;
    } catch {
      // A token that cannot be had now may be had later.
      if (opening === this.opening) this.over({});
      return;
    }
    if (opening !== this.opening) return;
    if (found === this.refused) return this.stop('unauthorized');
    this.token = found;
    try {
      this.socket = openSocket(this.env, { url: this.to.url, token: found, ticket: this.to.ticket }, {
        frame: (frame) => opening === this.opening && this.hear(frame),
        ended: (ended) => opening === this.opening && this.over(ended),
      });
    } catch (error) {
      // A bad address, or no WebSocket here: that does not mend itself.
      this.stop(String(error));
    }
  }

  /** @param {any} frame */
  hear(frame) {
    const { opening } = this;
    this.heardAt = this.clock.now();
    this.alarms.clear('answer');
    if (frame?.type === 'welcome' && !this.isLive) {
      this.alarms.clear('welcome');
      this.liveSince = this.heardAt;
      if (typeof frame.ticket === 'string') this.to = { ...this.to, ticket: frame.ticket };
      this.heard.frame(frame);
      if (opening !== this.opening) return;
      this.listen();
      this.become({ phase: 'live' });
    } else {
      this.heard.frame(frame);
    }
    // Frames come in hidden tabs too, where timers hardly do.
    this.alarms.tick();
  }

  /** The server's pings are not told to a page: so what was heard is what counts. */
  listen(since = this.heardAt) {
    this.alarms.at('quiet', since + QUIET_MS, () => {
      const quiet = this.clock.now() - this.heardAt >= QUIET_MS;
      if (quiet) this.probe();
      this.listen(quiet ? this.clock.now() : this.heardAt);
    });
  }

  probe() {
    const fresh = this.clock.now() - this.heardAt < FRESH_MS;
    if (!this.isLive || fresh || this.alarms.dueOf('answer') !== undefined) return;
    this.alarms.at('answer', this.clock.now() + ANSWER_MS, () => this.over({}));
    this.heard.silent();
  }

  drop() {
    this.opening++;
    this.socket?.close();
    this.socket = undefined;
    for (const name of ['welcome', 'quiet', 'answer']) this.alarms.clear(name);
  }

  /** @param {import('./come_back.js').Ended} ended */
  over(ended) {
    if (this.isLive && this.clock.now() - this.liveSince >= SETTLED_MS) this.attempt = 0;
    this.drop();
    const { opening } = this;
    this.heard.ended(ended.code);
    if (opening !== this.opening) return;
    const back = comeBack(ended, this.attempt, this.env.random());
    if (back.come === 'never') return this.become({ phase: 'stopped', why: back.why, code: ended.code });
    if (back.come === 'with_token') {
      this.refused = this.token;
      // Where tokens come from a function, a fresh one may be had; not a fresh one for each refusal, as fast as it can.
      if (typeof this.to.token !== 'function') return this.become({ phase: 'stopped', why: back.why, code: ended.code });
      return this.comeBackIn(fullJitter(this.attempt, this.env.random()), false);
    }
    this.comeBackIn(back.ms, back.advised);
  }

  /**
   * @param {number} ms
   * @param {boolean} advised
   */
  comeBackIn(ms, advised) {
    this.attempt += 1;
    this.advised = advised;
    const due = this.clock.now() + ms;
    this.alarms.at('come back', due, () => this.connect());
    this.become({ phase: 'waiting', retry_at: due });
  }

  /** @param {LinkState} state */
  become(state) {
    this.state = state;
    this.heard.link(state);
  }
}
