// The one file of the messenger that touches the network: calls, and the stream of events, both through `fetch`.

import { errorOf } from '../shared/refused.js';

/**
 * @typedef {import('../shared/environment.js').Environment} Environment
 * @typedef {import('../shared/outbox.js').WireError} WireError
 *
 * @typedef {{ ok: any } | { error: WireError & Record<string, unknown>, status: number } | { broken: true }} Answer
 *   `broken`: whether it was done is not known.
 *
 * @typedef {object} Heard
 * @property {() => void} opened
 * @property {(event: { type: string } & Record<string, any>) => void} event
 * @property {() => void} alive Something came, if only a sign of life.
 * @property {(ended: { retry_ms?: number, status?: number, error?: WireError & Record<string, unknown> }) => void} ended
 */

/**
 * @param {Pick<Environment, 'fetch'>} env
 * @param {{ method: string, url: string, token: string | undefined, id?: string, body?: unknown, isText?: boolean | undefined, signal: AbortSignal }} asked
 * @returns {Promise<Answer>}
 */
export async function call(env, { method, url, token, id, body, isText, signal }) {
  /** @type {Record<string, string>} */
  const headers = {};
  if (token) headers.Authorization = `Bearer ${token}`;
  if (id) headers['Idempotency-Key'] = id;
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  try {
    const response = await fetchOf(env)(url, { method, headers, signal, cache: 'no-store', ...(body !== undefined && { body: JSON.stringify(body) }) });
    const text = await response.text();
    if (response.ok) return { ok: text === '' ? undefined : isText ? { text } : JSON.parse(text) };
    return { status: response.status, error: errorOf(response.status, response.headers.get('retry-after'), text) };
  } catch {
    return { broken: true };
  }
}

/**
 * Follows a conversation from behind the event `after`. Ends once.
 * @param {Pick<Environment, 'fetch'>} env
 * @param {{ url: string, token: string, after: number }} what
 * @param {Heard} heard
 * @returns {() => void} Ends it, and then nothing is heard of it.
 */
export function follow(env, { url, token, after }, heard) {
  const abort = new AbortController();
  let over = false;
  /** @type {Heard['ended']} */
  const end = (ended) => {
    if (over) return;
    over = true;
    heard.ended(ended);
  };
  void (async () => {
    let retry_ms;
    try {
      const headers = { Authorization: `Bearer ${token}`, Accept: 'text/event-stream', ...(after > 0 && { 'Last-Event-ID': String(after) }) };
      const response = await fetchOf(env)(url, { headers, signal: abort.signal, cache: 'no-store' });
      if (!response.ok || !response.body) {
        return end({ status: response.status, error: errorOf(response.status, response.headers.get('retry-after'), await response.text()) });
      }
      if (over) return;
      heard.opened();
      const reader = response.body.getReader();
      const read = lines();
      for (;;) {
        const { done, value } = await reader.read();
        if (over) return;
        if (done) break;
        heard.alive();
        for (const fields of read(value)) {
          if (over) return;
          if (fields.retry !== undefined) retry_ms = Number(fields.retry);
          const event = eventOf(fields);
          if (event) heard.event(event);
        }
      }
      end({ ...(retry_ms !== undefined && { retry_ms }) });
    } catch {
      // Broken, and not ended by the server: it said nothing of when to come back.
      end({});
    }
  })();
  return () => {
    over = true;
    abort.abort();
  };
}

/** @param {Pick<Environment, 'fetch'>} env */
function fetchOf({ fetch }) {
  if (!fetch) throw new TypeError('no fetch here: hand one in');
  return fetch;
}

/**
 * Reads bytes as they come, cut anywhere, into the fields of whole events. What is cut off at the end was never sent.
 * @returns {(bytes: Uint8Array) => Record<string, string>[]}
 */
export function lines() {
  const decoder = new TextDecoder();
  let rest = '';
  /** @type {Record<string, string>} */
  let fields = {};
  return (bytes) => {
    const whole = [];
    const parts = (rest + decoder.decode(bytes, { stream: true })).split(/\r\n|\n/);
    rest = parts.pop() ?? '';
    for (const line of parts) {
      if (line === '') {
        if (Object.keys(fields).length > 0) whole.push(fields);
        fields = {};
        continue;
      }
      const colon = line.indexOf(':');
      // A comment is a sign of life.
      if (colon === 0) continue;
      const name = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
      fields[name] = name === 'data' && fields.data !== undefined ? `${fields.data}\n${value}` : value;
    }
    return whole;
  };
}

/**
 * @param {Record<string, string>} fields
 * @returns {({ type: string } & Record<string, any>) | undefined}
 */
function eventOf({ event, data, id }) {
  if (event === undefined || data === undefined) return undefined;
  try {
    const told = JSON.parse(data);
    const number = id !== undefined && /^\d+$/.test(id) ? { event_id: Number(id) } : {};
    return { ...told, type: event, ...number };
  } catch {
    return undefined;
  }
}
