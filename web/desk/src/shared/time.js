// Times and spans, as people say them. Pure, but for the reader's own time zone.

const S = 1_000;
const MIN = 60 * S;
const H = 60 * MIN;
const DAY = 24 * H;

/**
 * In the largest unit that says enough: `45 s`, `4 min`, `2 h`, `3 days`.
 * @param {number} ms
 */
export function span(ms) {
  if (ms < MIN) return `${Math.max(0, Math.round(ms / S))} s`;
  if (ms < H) return `${Math.floor(ms / MIN)} min`;
  if (ms < 2 * DAY) return `${Math.floor(ms / H)} h`;
  return `${Math.floor(ms / DAY)} days`;
}

/**
 * A countdown, or how long something takes: `0:27`, `4:05`, `1:02:03`.
 * @param {number} ms
 */
export function countdown(ms) {
  const s = Math.max(0, Math.ceil(ms / S));
  const two = (/** @type {number} */ n) => String(n).padStart(2, '0');
  const hours = Math.floor(s / 3_600);
  const minutes = Math.floor(s / 60) % 60;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(s % 60)}` : `${minutes}:${two(s % 60)}`;
}

/**
 * How long ago, in few letters, for a list: `now`, `4m`, `2h`, `3d`.
 * @param {number} ms
 */
export function ago(ms) {
  if (ms < MIN) return 'now';
  if (ms < H) return `${Math.floor(ms / MIN)}m`;
  if (ms < DAY) return `${Math.floor(ms / H)}h`;
  return `${Math.floor(ms / DAY)}d`;
}

/** @type {Record<string, Intl.DateTimeFormat>} Making one takes longer than all else here. */
const formats = {};

/**
 * @param {string} name
 * @param {Intl.DateTimeFormatOptions} options
 * @param {number} at
 */
function formatted(name, options, at) {
  return (formats[name] ??= new Intl.DateTimeFormat(undefined, options)).format(at);
}

/** `14:05`. @param {number} at Unix ms. */
export const clockTime = (at) => formatted('clock', { hour: '2-digit', minute: '2-digit' }, at);

/** `26 Nov 2026, 14:05`. @param {number} at Unix ms. */
export const dateTime = (at) => formatted('date time', { dateStyle: 'medium', timeStyle: 'short' }, at);

/**
 * `Today`, `Yesterday`, `Thursday, 26 November`.
 * @param {number} at Unix ms.
 * @param {number} now
 */
export function dayOf(at, now) {
  const days = dayNumber(now) - dayNumber(at);
  if (days === 0) return 'Today';
  if (days === 1) return 'Yesterday';
  const sameYear = new Date(at).getFullYear() === new Date(now).getFullYear();
  if (sameYear) return formatted('day', { weekday: 'long', day: 'numeric', month: 'long' }, at);
  return formatted('day and year', { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' }, at);
}

/**
 * Days are the reader's own.
 * @param {number} at Unix ms.
 */
export function dayNumber(at) {
  return Math.floor((at - new Date(at).getTimezoneOffset() * MIN) / DAY);
}
