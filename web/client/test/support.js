// What tests share: time that a test moves, sockets and tabs that it plays, and an environment in which a minute is a moment.

import { environment } from '../src/shared/environment.js';
import { memoryStorage } from '../src/shared/storage.js';

/** Lets everything run that waits for nothing but its turn. */
export const settled = () => new Promise((done) => setImmediate(done));

export class VirtualTime {
  constructor() {
    this.monotonic = 0;
    this.wall = 1_700_000_000_000;
    /** @type {{ due: number, run: () => void }[]} */
    this.timers = [];
    /** A hidden tab's timers fire on the minute. */
    this.throttled = false;
  }

  /** @param {() => void} run @param {number} ms */
  setTimeout = (run, ms) => {
    const due = this.monotonic + ms;
    const timer = { due: this.throttled ? Math.ceil(due / 60_000) * 60_000 : due, run };
    this.timers.push(timer);
    return timer;
  };

  /** @param {any} timer */
  clearTimeout = (timer) => {
    this.timers = this.timers.filter((one) => one !== timer);
  };

  /** @param {number} ms */
  async advance(ms) {
    const until = this.monotonic + ms;
    await settled();
    for (;;) {
      const next = this.timers.filter(({ due }) => due <= until).sort((a, b) => a.due - b.due)[0];
      if (!next) break;
      this.clearTimeout(next);
      this.pass(next.due - this.monotonic);
      next.run();
      await settled();
    }
    this.pass(until - this.monotonic);
    await settled();
  }

  /** @param {number} ms */
  pass(ms) {
    this.monotonic += Math.max(0, ms);
    this.wall += Math.max(0, ms);
  }

  /** The lid is closed: only the wall's clock goes on. @param {number} ms */
  sleep(ms) {
    this.wall += ms;
  }
}

/** A WebSocket whose other end is the test. */
export class PlayedSocket {
  /** @param {string} url @param {string[]} protocols */
  constructor(url, protocols) {
    this.url = url;
    this.protocols = protocols;
    /** @type {any[]} */
    this.sent = [];
    /** @type {number | undefined} */
    this.closed = undefined;
    /** @type {((event: any) => void) | null} */
    this.onopen = null;
    /** @type {((event: any) => void) | null} */
    this.onerror = null;
    /** @type {((event: any) => void) | null} */
    this.onmessage = null;
    /** @type {((event: any) => void) | null} */
    this.onclose = null;
  }
  /** @param {string} text */
  send(text) {
    this.sent.push(JSON.parse(text));
  }
  /** @param {number} [code] */
  close(code) {
    this.closed = code;
  }
  /** @param {any} frame */
  says(frame) {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }
  /** @param {number} code @param {string} [reason] */
  ends(code, reason = '') {
    this.onclose?.({ code, reason });
  }
  /** @param {any} [more] */
  welcomes(more = {}) {
    this.says(welcome(more));
  }
}

/** @param {any} [more] */
export function welcome({ snapshot = {}, ...more } = {}) {
  const own = { status: 'away', available: false, channels: ['chat'], connection: 'online', offers: [], conversations: [], ...snapshot };
  const agent = { name: 'ada', title: 'Ada', role: 'agent' };
  const settings = { statuses: [], channels: ['chat'], reject_reasons: ['busy'], text_bytes_max: 16_384, frame_bytes_max: 65_536 };
  return { type: 'welcome', session: 's', position: 10, ticket: 'ohr1.t', agent, workspace: 'demo', settings, snapshot: own, ...more };
}

/** A world without a network: sockets are in `sockets`, the newest last. */
export function playedWorld(more = {}) {
  const time = new VirtualTime();
  /** @type {PlayedSocket[]} */
  const sockets = [];
  /** @type {Map<string, Set<(event: any) => void>>} */
  const listeners = new Map();
  const world = { time, sockets, hidden: false, random: 0.5 };
  let ids = 0;
  class Socket extends PlayedSocket {
    /** @param {string} url @param {string[]} protocols */
    constructor(url, protocols) {
      super(url, protocols);
      sockets.push(this);
    }
  }
  const env = environment({
    WebSocket: Socket,
    storage: memoryStorage(),
    locks: undefined,
    BroadcastChannel: undefined,
    monotonic: () => time.monotonic,
    wall: () => time.wall,
    random: () => world.random,
    id: () => (++ids).toString(16).padStart(32, '0'),
    setTimeout: time.setTimeout,
    clearTimeout: time.clearTimeout,
    listen: (name, heard) => {
      const all = listeners.get(name) ?? new Set();
      listeners.set(name, all.add(heard));
      return () => void all.delete(heard);
    },
    isHidden: () => world.hidden,
    ...more,
  });
  const happens = (/** @type {string} */ name, event = {}) => [...(listeners.get(name) ?? [])].forEach((heard) => heard(event));
  return Object.assign(world, { env, happens, last: () => /** @type {PlayedSocket} */ (sockets.at(-1)) });
}

/** The real network, and time that goes so many times as fast: what waits for half a minute waits for a moment. */
export function hurried(more = {}, times = 100) {
  const from = performance.now();
  const passed = () => (performance.now() - from) * times;
  return {
    storage: memoryStorage(),
    monotonic: passed,
    wall: () => 1_700_000_000_000 + passed(),
    setTimeout: (/** @type {() => void} */ run, /** @type {number} */ ms) => setTimeout(run, ms / times),
    clearTimeout: (/** @type {any} */ timer) => clearTimeout(timer),
    ...more,
  };
}

/** The tabs of one browser: one storage, locks and channels among them. */
export function browser() {
  /** @type {Map<string, { run: () => Promise<void>, done: (value?: unknown) => void }[]>} */
  const lines = new Map();
  /** @type {Map<string, Set<any>>} */
  const channels = new Map();
  const next = async (/** @type {string} */ name) => {
    const line = lines.get(name) ?? [];
    const first = line[0];
    if (!first) return;
    await first.run();
    line.shift();
    first.done();
    void next(name);
  };
  const locks = {
    request: (/** @type {string} */ name, /** @type {{ signal?: AbortSignal }} */ { signal }, /** @type {() => Promise<void>} */ run) =>
      new Promise((done, fail) => {
        const line = lines.get(name) ?? [];
        lines.set(name, line);
        const one = { run, done };
        signal?.addEventListener('abort', () => {
          const at = line.indexOf(one);
          if (at > 0) line.splice(at, 1);
          fail(new Error('aborted'));
        });
        if (line.push(one) === 1) setImmediate(() => next(name));
      }),
  };
  class BroadcastChannel {
    /** @param {string} name */
    constructor(name) {
      this.name = name;
      /** @type {((event: any) => void) | null} */
      this.onmessage = null;
      const all = channels.get(name) ?? new Set();
      channels.set(name, all.add(this));
    }
    /** @param {unknown} message */
    postMessage(message) {
      const data = structuredClone(message);
      for (const other of channels.get(this.name) ?? []) if (other !== this) setImmediate(() => other.onmessage?.({ data }));
    }
    close() {
      channels.get(this.name)?.delete(this);
      this.onmessage = null;
    }
  }
  return { locks, BroadcastChannel, storage: memoryStorage() };
}

/**
 * Waits for a state.
 * @template S
 * @param {{ state: S, subscribe: (listener: (state: S, frame: any) => void) => () => void }} client
 * @param {(state: S) => unknown} wanted
 * @param {string} [what]
 * @returns {Promise<S>}
 */
export function until(client, wanted, what = String(wanted)) {
  if (wanted(client.state)) return Promise.resolve(client.state);
  return new Promise((done, fail) => {
    const late = setTimeout(() => fail(new Error(`did not come: ${what}; ${JSON.stringify(client.state).slice(0, 3_000)}`)), 30_000);
    const off = client.subscribe((state) => {
      if (!wanted(state)) return;
      clearTimeout(late);
      off();
      done(state);
    });
  });
}
