// How long to wait before the next attempt. Pure.

const FIRST_MS = 1_000;
const MOST_MS = 30_000;
/** On top of what was advised, since many were told the same. */
const ADVISED_JITTER_MS_MAX = 1_000;

/**
 * Anywhere from 0 to 1 s, doubling to 30 s.
 * @param {number} attempt From 0: how often it has failed in a row.
 * @param {number} random From 0 to 1.
 */
export function fullJitter(attempt, random) {
  return Math.round(random * Math.min(FIRST_MS * 2 ** Math.min(attempt, 16), MOST_MS));
}

/**
 * Not before it was advised, and not all at once.
 * @param {number} ms
 * @param {number} random
 */
export function advisedWithJitter(ms, random) {
  return Math.round(ms + random * Math.min(ms / 4, ADVISED_JITTER_MS_MAX));
}
