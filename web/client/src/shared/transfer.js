// The one file that touches the network for files: once up, with `XMLHttpRequest` where there is one, since only that tells how far it is, or once
// down. What breaks, or is silent for too long, may be tried again.

import { errorOf } from './refused.js';

/**
 * @typedef {import('./environment.js').Environment} Environment
 *
 * @typedef {{ ok: any } | { error: import('./refused.js').Told, status: number } | { broken: true }} Answer
 */

/** So long without a sign of life is as good as a broken connection. */
const STILL_MS = 60_000;
/** Where nothing tells how far it is: a line that is slower than this, in bytes a ms, counts as broken. */
const SLOWEST = 4;

/**
 * Ends what is under way when nothing is heard of it, or nobody wants it any more.
 * @param {Environment} env
 * @param {AbortSignal | undefined} signal
 * @param {() => void} end
 */
function watched(env, signal, end) {
  /** @type {unknown} */
  let timer;
  const alive = (ms = STILL_MS) => {
    env.clearTimeout(timer);
    timer = env.setTimeout(end, ms);
  };
  const over = () => {
    env.clearTimeout(timer);
    signal?.removeEventListener('abort', end);
  };
  signal?.addEventListener('abort', end);
  alive();
  return { alive, over };
}

/**
 * @typedef {{ url: string, headers: Record<string, string>, file: Blob, signal: AbortSignal | undefined }} Sending
 *
 * @param {Environment} env
 * @param {Sending} what
 * @param {(sent: number) => void} told
 * @returns {Promise<Answer>}
 */
export function sendTelling(env, { url, headers, file, signal }, told) {
  return new Promise((done) => {
    const asked = new /** @type {typeof XMLHttpRequest} */ (env.XMLHttpRequest)();
    const { alive, over } = watched(env, signal, () => asked.abort());
    const end = (/** @type {Answer} */ answer) => {
      over();
      done(answer);
    };
    asked.upload.onprogress = ({ loaded }) => {
      alive();
      told(loaded);
    };
    asked.onload = () => end(answerOf(asked.status, asked.getResponseHeader('retry-after'), asked.responseText));
    asked.onerror = asked.onabort = () => end({ broken: true });
    asked.open('POST', url);
    for (const [name, value] of Object.entries(headers)) asked.setRequestHeader(name, value);
    asked.send(file);
  });
}

/**
 * @param {Environment} env
 * @param {Sending} what
 * @returns {Promise<Answer>}
 */
export async function sendPlain(env, { url, headers, file, signal }) {
  const abort = new AbortController();
  const { alive, over } = watched(env, signal, () => abort.abort());
  alive(STILL_MS + file.size / SLOWEST);
  try {
    const response = await fetchIn(env)(url, { method: 'POST', headers, body: file, signal: abort.signal, cache: 'no-store' });
    return answerOf(response.status, response.headers.get('retry-after'), await response.text());
  } finally {
    over();
  }
}

/**
 * @param {number} status
 * @param {string | null} after
 * @param {string} text
 * @returns {Answer}
 */
function answerOf(status, after, text) {
  if (status < 200 || status >= 300) return { status, error: errorOf(status, after, text) };
  try {
    return { ok: JSON.parse(text) };
  } catch {
    // Cut off: it is asked for once more.
    return { broken: true };
  }
}

/**
 * @param {Environment} env
 * @param {{ url: string, token: string, signal: AbortSignal | undefined }} what
 * @returns {Promise<Answer>}
 */
export async function readOnce(env, { url, token, signal }) {
  const abort = new AbortController();
  const { alive, over } = watched(env, signal, () => abort.abort());
  try {
    const response = await fetchIn(env)(url, { headers: { Authorization: `Bearer ${token}` }, signal: abort.signal });
    if (!response.ok) return { status: response.status, error: errorOf(response.status, response.headers.get('retry-after'), await response.text()) };
    alive(STILL_MS + Number(response.headers.get('content-length') ?? 0) / SLOWEST);
    return { ok: await response.blob() };
  } finally {
    over();
  }
}

/** @param {Pick<Environment, 'fetch'>} env */
const fetchIn = ({ fetch }) => /** @type {typeof globalThis.fetch} */ (fetch);
