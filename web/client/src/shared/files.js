// Files of conversations: sent up with word of how far it is, and read as blobs; both again, with the same id, when the connection broke and when
// the server said so.

import { advisedWithJitter, fullJitter } from './backoff.js';
import { bearerOf } from './scope.js';
import { Refused, isForNow } from './refused.js';
import { readOnce, sendPlain, sendTelling } from './transfer.js';

/**
 * @typedef {import('./environment.js').Environment} Environment
 *
 * @typedef {object} Attached A file as the server describes it.
 * @property {string} file Its id.
 * @property {string} name As whoever added it calls it: of anybody, and to be shown as text.
 * @property {string} type What the server has found it to be.
 * @property {number} bytes
 * @property {number} [width] Of pictures.
 * @property {number} [height]
 *
 * @typedef {{ max_bytes: number, types: string[] }} Allowed What a workspace takes; where it says nothing, it takes no files.
 *
 * @typedef {object} Reach Where a client's files are, and by which right.
 * @property {Environment} env
 * @property {() => string} base Above `/conversations/…`.
 * @property {(refused?: string) => Promise<string | undefined>} token `refused`: the last, which is good no more.
 * @property {(back: () => void) => () => void} onBack Calls when the connection is there again. Gives back how to stop.
 *
 * @typedef {{ sent: number, total: number, waits: boolean }} Progress In bytes; `waits`: for the connection, or as the server said.
 *
 * @typedef {object} UploadOptions
 * @property {string} [name] Otherwise the file's own.
 * @property {(progress: Progress) => void} [onProgress]
 * @property {AbortSignal} [signal]
 *
 * @typedef {import('./transfer.js').Answer} Answer
 */

/** The kinds that are shown; everything else is only handed on, as bytes without a meaning, so that no page runs it. */
export const PICTURES = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp']);
/** So many in one message. */
export const FILES_MAX = 5;

const TOKEN_MARGIN_MS = 30_000;
/** Who is told to come back later than this is told so, and does not wait here: the room is full, or this hour's share is used. */
const PATIENCE_MS = 30_000;

/**
 * @param {Reach} reach
 * @param {string} conversation
 * @param {Blob & { name?: string }} file
 * @param {UploadOptions} [options]
 * @returns {Promise<Attached>} For a message's `files`. Rejected with `Refused` when the server has refused it for good.
 */
export async function upload(reach, conversation, file, { name = file.name ?? 'file', onProgress = () => {}, signal } = {}) {
  const id = reach.env.id();
  const total = file.size;
  // Whatever letters a name has; a space as `%20`.
  const query = String(new URLSearchParams({ name })).replaceAll('+', '%20');
  const url = `${fileUrl(reach, conversation)}?${query}`;
  const told = (/** @type {number} */ sent) => onProgress({ sent: Math.min(sent, total), total, waits: false });
  const done = await untilAnswered(reach, signal, {
    waits: () => onProgress({ sent: 0, total, waits: true }),
    once: (token) => {
      told(0);
      const headers = { Authorization: `Bearer ${token}`, 'Idempotency-Key': id, 'Content-Type': file.type || 'application/octet-stream' };
      const asked = { url, headers, file, signal };
      return reach.env.XMLHttpRequest ? sendTelling(reach.env, asked, told) : sendPlain(reach.env, asked);
    },
  });
  told(total);
  return done.file;
}

/**
 * What is in a file. What is no picture has no type, so that its address opens as nothing.
 * @param {Reach} reach
 * @param {string} conversation
 * @param {string} file
 * @param {{ signal?: AbortSignal }} [options]
 * @returns {Promise<Blob>} Rejected with `Refused` when it cannot be had.
 */
export async function readFile(reach, conversation, file, { signal } = {}) {
  const blob = await untilAnswered(reach, signal, {
    waits: () => {},
    once: (token) => readOnce(reach.env, { url: fileUrl(reach, conversation, file), token, signal }),
  });
  return PICTURES.has(blob.type) ? blob : blob.slice(0, blob.size, 'application/octet-stream');
}

/**
 * Where a file is read, with the token in a header: it is in no address.
 * @param {Pick<Reach, 'base'>} reach
 * @param {string} conversation
 * @param {string} [file] Absent: where files are sent to.
 */
export function fileUrl({ base }, conversation, file) {
  const url = `${base()}/conversations/${encodeURIComponent(conversation)}/files`;
  return file === undefined ? url : `${url}/${encodeURIComponent(file)}`;
}

/**
 * @template {{ link: { phase: string } }} S
 * @param {{ state: S, subscribe: (listener: (state: S) => void) => () => void }} client
 * @returns {Reach['onBack']}
 */
export function backOf(client) {
  return (back) => {
    let was = client.state.link.phase;
    return client.subscribe(({ link: { phase } }) => {
      const isBack = phase === 'live' && was !== 'live';
      was = phase;
      if (isBack) back();
    });
  };
}

/**
 * A token of what a client was given: a function is asked again when its last one ends, or was refused.
 * @param {Pick<Environment, 'wall'>} env
 * @param {() => string | (() => string | Promise<string>) | undefined} source
 * @returns {Reach['token']}
 */
export function tokenFrom(env, source) {
  /** @type {string | undefined} */
  let last;
  return async (refused) => {
    const given = source();
    if (typeof given !== 'function') return given;
    const { exp } = /** @type {{ exp?: unknown }} */ (bearerOf(last ?? ''));
    const ends = typeof exp === 'number' && exp * 1_000 - env.wall() < TOKEN_MARGIN_MS;
    if (last === undefined || last === refused || ends) last = await given();
    return last;
  };
}

/**
 * @param {Reach} reach
 * @param {AbortSignal | undefined} signal
 * @param {{ once: (token: string) => Promise<Answer>, waits: () => void }} what
 */
async function untilAnswered(reach, signal, { once, waits }) {
  /** @type {string | undefined} */
  let refused;
  for (let attempt = 0; ; attempt++) {
    signal?.throwIfAborted();
    /** @type {Answer} */
    let answer = { broken: true };
    /** @type {string | undefined} */
    let token;
    try {
      token = await reach.token(refused);
      answer = token === undefined ? { status: 401, error: { code: 'unauthorized', message: 'there is no token' } } : await once(token);
    } catch {
      // A token that could not be had, or a connection that broke.
    }
    signal?.throwIfAborted();
    if ('ok' in answer) return answer.ok;
    /** @type {number | undefined} */
    let advised;
    if ('error' in answer) {
      // Once more with another token, if there is one.
      const isOld = answer.status === 401 && token !== undefined && refused === undefined;
      refused = isOld ? token : undefined;
      if (isOld) continue;
      advised = answer.error.retry_after_ms;
      if (!isForNow(answer) || (advised ?? 0) > PATIENCE_MS) throw new Refused(answer.error);
    }
    waits();
    const random = reach.env.random();
    await pause(reach, advised === undefined ? fullJitter(attempt, random) : advisedWithJitter(advised, random), advised !== undefined, signal);
  }
}

/**
 * Until it is time, the connection is there again (unless the server has named the time), or nobody wants it any more.
 * @param {Reach} reach
 * @param {number} ms
 * @param {boolean} advised
 * @param {AbortSignal | undefined} signal
 * @returns {Promise<void>}
 */
function pause({ env, onBack }, ms, advised, signal) {
  return new Promise((done) => {
    if (signal?.aborted) return done();
    const end = () => {
      env.clearTimeout(timer);
      deaf();
      signal?.removeEventListener('abort', end);
      done();
    };
    const timer = env.setTimeout(end, ms);
    const deaf = advised ? () => {} : onBack(end);
    signal?.addEventListener('abort', end);
  });
}
