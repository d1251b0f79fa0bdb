// When an agent's client comes back, by what the server said at the end (docs/wire.md, *Closing*). Pure.

import { advisedWithJitter, fullJitter } from '../shared/backoff.js';

/**
 * @typedef {object} Ended
 * @property {number} [code] The close code; absent: the connection broke, or was never made.
 * @property {string} [reason]
 * @property {number} [retry_after_ms] Said elsewhere: over HTTP, or by `retry:` of a stream.
 *
 * @typedef {{ come: 'never', why: string } | { come: 'with_token', why: string } | { come: 'later', ms: number, advised: boolean }} Return
 *   `advised`: the server named the time, which is a place in a line, so nothing makes it sooner.
 */

/** @type {Record<number, string>} */
const NEVER = {
  1000: 'closed',
  1002: 'protocol',
  1003: 'binary',
  1007: 'not_utf8',
  4000: 'signed_out',
  4003: 'forbidden',
  4004: 'too_many_devices',
  4008: 'bad_frames',
};

/**
 * @param {Ended} ended
 * @param {number} attempt
 * @param {number} random
 * @returns {Return}
 */
export function comeBack(ended, attempt, random) {
  const { code = 1006, reason = '' } = ended;
  const never = NEVER[code];
  if (never) return { come: 'never', why: never };
  if (code === 4001) return { come: 'with_token', why: reason || 'unauthorized' };
  const ms = ended.retry_after_ms ?? adviceOf(reason);
  if (code === 4200 && ms !== undefined) return { come: 'later', ms, advised: true };
  if (ms !== undefined) return { come: 'later', ms: advisedWithJitter(ms, random), advised: true };
  // At once, but not for ever: what fails again at once is no single fault.
  if ((code === 4200 || code === 4201 || code === 4202) && attempt === 0) return { come: 'later', ms: 0, advised: false };
  // A code of a later server's: 40xx do not come back, whatever they are called.
  if (code >= 4000 && code < 4100) return { come: 'never', why: reason || String(code) };
  return { come: 'later', ms: fullJitter(attempt, random), advised: false };
}

/**
 * @param {string} reason `retry_after_ms=1500`
 * @returns {number | undefined}
 */
export function adviceOf(reason) {
  const found = /^retry_after_ms=(\d{1,9})$/.exec(reason);
  return found ? Number(found[1]) : undefined;
}
