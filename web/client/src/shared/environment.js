// Everything that is outside: sockets, storage, clocks, chance, other tabs. Handed in, so that a test can run a day in a millisecond.

import { memoryStorage, webStorage } from './storage.js';

/**
 * @typedef {import('./storage.js').Storage} Storage
 *
 * @typedef {object} Socket What is used of a WebSocket.
 * @property {(text: string) => void} send
 * @property {(code?: number, reason?: string) => void} close
 * @property {((event: any) => void) | null} onopen
 * @property {((event: any) => void) | null} onmessage
 * @property {((event: any) => void) | null} onclose
 * @property {((event: any) => void) | null} onerror
 *
 * @typedef {new (url: string, protocols: string[]) => Socket} SocketMaker
 *
 * @typedef {object} Channel What is used of a BroadcastChannel.
 * @property {(message: unknown) => void} postMessage
 * @property {() => void} close
 * @property {((event: any) => void) | null} onmessage
 *
 * @typedef {object} Locks What is used of Web Locks.
 * @property {(name: string, options: { signal?: AbortSignal }, held: () => Promise<void>) => Promise<unknown>} request
 *
 * @typedef {object} Environment
 * @property {SocketMaker | undefined} WebSocket In Node before 22: that of the package `ws`.
 * @property {typeof globalThis.fetch | undefined} fetch
 * @property {(new () => XMLHttpRequest) | undefined} XMLHttpRequest For files on their way up: without it nothing says how far they are.
 * @property {Storage} storage What outlives a reload: messages that were not sent yet, and where a customer was.
 * @property {Locks | undefined} locks Without these two, each tab has a stream of its own.
 * @property {(new (name: string) => Channel) | undefined} BroadcastChannel
 * @property {() => number} monotonic Milliseconds from anywhere, never back.
 * @property {() => number} wall Unix milliseconds.
 * @property {() => number} random From 0 to 1.
 * @property {() => string} id 32 random hexadecimal digits.
 * @property {(run: () => void, ms: number) => unknown} setTimeout
 * @property {(timer: any) => void} clearTimeout
 * @property {(name: string, heard: (event: any) => void) => () => void} listen To the page: `online`, `visibilitychange`, `pagehide`,
 *   `pageshow`, `freeze`, `resume`. Gives back how to stop.
 * @property {() => boolean} isHidden
 */

/**
 * What this runtime has, but for what is handed in.
 * @param {Partial<Environment>} [given]
 * @returns {Environment}
 */
export function environment(given = {}) {
  const here = /** @type {any} */ (globalThis);
  return {
    WebSocket: here.WebSocket,
    fetch: here.fetch?.bind(here),
    XMLHttpRequest: here.XMLHttpRequest,
    storage: given.storage ?? webStorage() ?? memoryStorage(),
    // Node has a BroadcastChannel, but it keeps the process alive, and there are no tabs.
    locks: here.document ? here.navigator?.locks : undefined,
    BroadcastChannel: here.document ? here.BroadcastChannel : undefined,
    monotonic: () => here.performance.now(),
    wall: () => Date.now(),
    random: Math.random,
    id: randomId,
    setTimeout: (run, ms) => here.setTimeout(run, ms),
    clearTimeout: (timer) => here.clearTimeout(timer),
    listen,
    isHidden: () => here.document?.visibilityState === 'hidden',
    ...given,
  };
}

/** A command id: 128 random bits. */
function randomId() {
  const bytes = globalThis.crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

const OF_THE_DOCUMENT = new Set(['visibilitychange', 'freeze', 'resume']);

/**
 * @param {string} name
 * @param {(event: any) => void} heard
 */
function listen(name, heard) {
  const here = /** @type {any} */ (globalThis);
  const on = OF_THE_DOCUMENT.has(name) ? here.document : here.window;
  on?.addEventListener(name, heard);
  return () => on?.removeEventListener(name, heard);
}
