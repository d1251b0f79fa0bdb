// Several tabs, one stream: the tab that holds a lock leads and has the connection, the others hear from it what it hears.
//
//   alone ──no locks here──▶ leading (a stream for each tab)
//   joining ──the lock is ours──▶ leading ──left, frozen, closed: the lock is free──▶ (another tab leads)
//      └──a leader speaks──▶ following ──the lock is ours──▶ leading
//
// What the leader hears goes to all with a consecutive number; who misses one, or comes late, asks for the whole state.

/**
 * @typedef {import('./environment.js').Environment} Environment
 *
 * @typedef {object} Heard What a tab does with what it hears.
 * @property {() => void} lead This tab has the connection from now on.
 * @property {() => void} follow A leader is there, perhaps a new one, and may not know what this tab asked of the last.
 * @property {(frame: any, age: number) => void} frame Of the leader's, in order, and how many ms ago it was told.
 * @property {(state: any, now: number) => void} state The leader's, whole, and its clock then.
 * @property {() => { state: any, now: number }} whole Of the leader: its state, for a tab that comes late.
 * @property {(command: any) => void} command To the leader, of another tab.
 * @property {() => void} nudge To the leader: something happened in another tab that makes a connection likely.
 */

export class Tabs {
  /**
   * @param {Pick<Environment, 'locks' | 'BroadcastChannel' | 'id' | 'wall'>} env
   * @param {string} name Of those that belong together.
   * @param {Heard} heard
   */
  constructor(env, name, heard) {
    this.env = env;
    this.name = name;
    this.heard = heard;
    this.me = env.id();
    /** @type {'out' | 'joining' | 'following' | 'leading'} */
    this.role = 'out';
    /** The leader's place in what it has told; of a follower: the last that it has heard. */
    this.told = 0;
    this.leader = '';
    /** @type {import('./environment.js').Channel | undefined} */
    this.channel = undefined;
    /** @type {(() => void) | undefined} */
    this.release = undefined;
    /** @type {AbortController | undefined} */
    this.asking = undefined;
  }

  get leads() {
    return this.role === 'leading';
  }

  join() {
    if (this.role !== 'out') return;
    const { locks, BroadcastChannel } = this.env;
    if (!locks || !BroadcastChannel) {
      this.role = 'leading';
      this.heard.lead();
      return;
    }
    this.role = 'joining';
    this.channel = new BroadcastChannel(this.name);
    this.channel.onmessage = ({ data }) => this.hear(data);
    const asking = new AbortController();
    this.asking = asking;
    const held = () =>
      new Promise((/** @type {(nothing: void) => void} */ release) => {
        if (asking.signal.aborted) return release();
        this.release = release;
        this.role = 'leading';
        this.leader = this.me;
        this.say('leads', this.heard.whole());
        this.heard.lead();
      });
    // Refused: asked for no more, or this page may have no locks at all; then it is alone.
    locks.request(this.name, { signal: asking.signal }, held).catch(() => {
      if (asking.signal.aborted || this.role === 'leading') return;
      this.channel?.close();
      this.channel = undefined;
      this.role = 'leading';
      this.heard.lead();
    });
    this.say('asks');
  }

  /** Another tab may lead. */
  leave() {
    if (this.role === 'out') return;
    this.role = 'out';
    this.asking?.abort();
    this.channel?.close();
    this.channel = undefined;
    this.release?.();
    this.release = undefined;
    this.leader = '';
  }

  /**
   * The leader tells the others.
   * @param {unknown} frame
   */
  tell(frame) {
    this.told += 1;
    this.say('frame', { frame });
  }

  /** @param {unknown} command */
  ask(command) {
    this.say('command', { command });
  }

  nudge() {
    this.say('nudge');
  }

  /**
   * @param {string} kind
   * @param {object} [more]
   */
  say(kind, more = {}) {
    this.channel?.postMessage({ kind, from: this.me, told: this.told, sent: this.env.wall(), ...more });
  }

  /** @param {any} said */
  hear(said) {
    if (typeof said !== 'object' || said === null) return;
    if (this.role === 'leading') return this.hearAsLeader(said);
    if (this.role === 'out') return;
    if (said.kind === 'leads' || said.kind === 'state') {
      const isNew = this.leader !== said.from;
      this.leader = said.from;
      this.told = said.told;
      this.role = 'following';
      // How long it was under way counts: a tab that was frozen hears late.
      this.heard.state(said.state, said.now + Math.max(0, this.env.wall() - said.sent));
      if (isNew || said.kind === 'leads') this.heard.follow();
    } else if (said.kind === 'frame') {
      if (said.from !== this.leader || said.told > this.told + 1) return this.say('asks');
      if (said.told <= this.told) return;
      this.told = said.told;
      this.heard.frame(said.frame, Math.max(0, this.env.wall() - said.sent));
    }
  }

  /** @param {any} said */
  hearAsLeader(said) {
    if (said.kind === 'asks') this.say('state', this.heard.whole());
    else if (said.kind === 'command') this.heard.command(said.command);
    else if (said.kind === 'nudge') this.heard.nudge();
  }
}
