// The few figures that are looked at first.

import { clockTime, countdown } from '../shared/time.js';
import { h } from '../shared/view.js';
import { groups, percent, spanOf, sums, toneOf, urgency } from './model.js';

/** @typedef {import('./page.js').Board} Board */

/**
 * @typedef {{ key: string, label: string, figure: string, tone: string, more: string }} Tile
 *
 * @param {Board} board
 * @returns {Tile[]}
 */
export function tiles({ queues, totals, titled, waitedMore }) {
  const { waiting, offered, active, longest, lately, day } = sums(queues);
  const { here, available } = groups(totals);
  const wait = longest ? longest.longest_wait_ms + waitedMore : 0;
  const level = percent(lately);
  const ofDay = percent(day);
  const since = queues.reduce((/** @type {number | undefined} */ first, row) => first ?? row.service?.counted_since, undefined);
  const free = queues.some((row) => row.agents_available > 0);
  return [
    { key: 'waiting', label: 'Waiting', figure: String(waiting), tone: waiting > 0 && !free ? 'warn' : '', more: offered > 0 ? `and ${offered} on offer` : 'none on offer' },
    { key: 'longest', label: 'Longest wait', figure: longest ? countdown(wait) : '–', tone: longest ? urgency(longest, wait) : '', more: longest ? titled(longest.queue) : waiting > 0 ? 'only closed queues have any' : 'nobody waits' },
    { key: 'level', label: 'In time, last 30 min', figure: level === undefined ? '–' : `${level} %`, tone: toneOf(level), more: since === undefined ? 'no queue sets a time' : `${ofDay === undefined ? 'none' : `${ofDay} %`} ${spanOf(since, Date.now(), clockTime)}` },
    { key: 'active', label: 'Active', figure: String(active), tone: '', more: active === 1 ? 'conversation' : 'conversations' },
    { key: 'agents', label: 'Agents here', figure: String(here), tone: here > 0 && available === 0 ? 'warn' : '', more: `${available} available` },
  ];
}

/** @param {Board} board */
export function tilesView(board) {
  return h(
    'section',
    { class: 'tiles', 'aria-label': 'At a glance' },
    h('dl', null, tiles(board).map(tileView)),
  );
}

/** @param {Tile} tile */
export function tileView({ key, label, figure, tone, more }) {
  return h('div', { key, class: `tile ${tone}` }, h('dt', null, label), h('dd', { class: 'figure mono' }, figure), h('dd', { class: 'under one-line', dir: 'auto' }, more));
}
