// A refusal of the server's, as an error to catch: `code` is what programs look at (docs/wire.md, *Errors*). And what an answer over HTTP says of it.

/** @typedef {import('./outbox.js').WireError & Record<string, unknown>} Told */

export class Refused extends Error {
  /** @param {Told} error */
  constructor(error) {
    super(`${error.code}: ${error.message}`);
    this.name = 'Refused';
    this.code = error.code;
    /** Whatever else was said: `field`, `end`, `state`, `retry_after_ms`. */
    this.error = error;
  }
}

/** Nothing happened, and it may be tried again. */
export const AGAIN = new Set(['busy', 'overloaded', 'unavailable', 'rate_limited', 'behind']);

/** The same over HTTP; of a proxy, it is not known what happened, which is settled by asking again. @param {{ error: Told, status: number }} answer */
export function isForNow({ error: { code }, status }) {
  return AGAIN.has(code) || (code.startsWith('http_') && status >= 500);
}

/**
 * @param {number} status
 * @param {string | null} after The header `Retry-After`.
 * @param {string} text
 * @returns {Told}
 */
export function errorOf(status, after, text) {
  /** @type {any} */
  let body;
  try {
    body = JSON.parse(text);
  } catch {
    // Of a proxy between us.
  }
  const later = after !== null && Number(after) >= 0 ? { retry_after_ms: Number(after) * 1_000 } : {};
  const code = typeof body?.code === 'string' ? body.code : `http_${status}`;
  return { message: `status ${status}`, ...later, ...body, code };
}
