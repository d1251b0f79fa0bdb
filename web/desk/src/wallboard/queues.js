// The queues: each a row, the one that needs a look first.

import { icon } from '../shared/icons.js';
import { openMenu } from '../shared/overlay.js';
import { clockTime, countdown, span } from '../shared/time.js';
import { h } from '../shared/view.js';
import { percent, spanOf, toneOf, urgency } from './model.js';
import { openQueue } from './queue.js';
import { alongRows } from './rows.js';

/** @typedef {import('./page.js').Board} Board @typedef {import('./model.js').QueueRow} QueueRow */

/** @param {Board} board */
export function queuesView(board) {
  const { queues } = board;
  return h(
    'section',
    { class: 'queues card', 'aria-labelledby': 'queues-title' },
    h('div', { class: 'card-head' }, h('h2', { id: 'queues-title' }, 'Queues'), h('p', { class: 'dim small' }, 'The longest wait first')),
    h(
      'div',
      { class: 'scroll', role: 'region', 'aria-label': 'Queues', tabindex: '0' },
      h(
        'table',
        { onkeydown: alongRows },
        h('thead', null, h('tr', null, [head('Queue', 'name'), head('Waiting'), head('Longest'), head('In time'), head('Estimate'), head('Agents free'), head('Active'), head('Actions', 'acts', true)])),
        h('tbody', null, queues.length === 0 ? h('tr', null, h('td', { colspan: '8', class: 'dim' }, 'There is no queue.')) : queues.map((row) => rowView(board, row))),
      ),
    ),
  );
}

/** @param {string} text @param {string} [kind] @param {boolean} [unseen] */
export function head(text, kind = '', unseen = false) {
  return h('th', { key: text, scope: 'col', class: kind || 'number' }, unseen ? h('span', { class: 'unseen' }, text) : text);
}

/** @param {Board} board @param {QueueRow} row */
function rowView(board, row) {
  const wait = row.longest_wait_ms + (row.waiting > 0 ? board.waitedMore : 0);
  const estimate = row.estimates?.[0];
  return h(
    'tr',
    { key: row.queue, class: row.open ? '' : 'shut' },
    h(
      'th',
      { scope: 'row', class: 'name' },
      h('button', { class: 'row-name', onclick: () => openQueue(board, row.queue) }, h('bdi', { class: 'one-line' }, row.title)),
      badges(row),
    ),
    cell('Waiting', h('span', { class: row.waiting > 0 ? 'strong' : 'dim' }, row.waiting), row.offered > 0 && h('span', { class: 'under' }, `${row.offered} on offer`)),
    cell('Longest', row.waiting > 0 ? h('span', { class: `wait ${urgency(row, wait)}` }, countdown(wait)) : h('span', { class: 'dim' }, '–')),
    cell('In time', levelView(row)),
    cell('Estimate', estimate ? [span(estimate.p50_ms), h('span', { class: 'under' }, `at most ${span(estimate.p90_ms)}`)] : h('span', { class: 'dim' }, '–')),
    cell('Agents free', h('span', { class: row.agents_available === 0 && row.waiting > 0 && row.open ? 'wait warn' : '' }, row.agents_available), h('span', { class: 'under' }, `of ${row.agents_there} there`)),
    cell('Active', row.active, row.paused ? h('span', { class: 'under' }, `${row.paused} paused`) : null),
    h(
      'td',
      { class: 'acts' },
      h('button', { class: 'quiet square', 'aria-label': `Actions for ${row.title}`, 'aria-haspopup': 'menu', 'aria-expanded': 'false', onclick: (/** @type {any} */ event) => acts(board, row, event.currentTarget) }, icon('more')),
    ),
  );
}

/** @param {string} label @param {...import('../shared/view.js').Kid} kids */
export function cell(label, ...kids) {
  return h('td', { class: 'number mono', 'data-label': label }, kids);
}

/** @param {QueueRow} row */
export function badges(row) {
  return [
    row.draining && h('span', { key: 'drain', class: 'badge warn' }, 'Draining'),
    !row.open && h('span', { key: 'shut', class: 'badge' }, row.opens_at ? `Closed until ${opening(row.opens_at)}` : 'Closed'),
    row.open && row.closes_at !== undefined && row.closes_at - Date.now() < 3_600_000 && h('span', { key: 'closes', class: 'badge' }, `Closes ${clockTime(row.closes_at)}`),
  ];
}

/** @param {number} at */
function opening(at) {
  const far = at - Date.now() > 20 * 3_600_000;
  return far ? new Intl.DateTimeFormat(undefined, { weekday: 'short', hour: '2-digit', minute: '2-digit' }).format(at) : clockTime(at);
}

/** @param {QueueRow} row */
function levelView({ service }) {
  if (!service) return h('span', { class: 'dim' }, '–');
  const lately = percent(service.lately);
  const day = percent(service.day);
  return [
    lately === undefined ? h('span', { class: 'dim' }, '–') : h('span', { class: `level ${toneOf(lately)}` }, `${lately} %`),
    h('span', { class: 'under' }, `${day === undefined ? 'none' : `${day} %`} ${spanOf(service.counted_since, Date.now(), clockTime)}`),
  ];
}

/** @param {Board} board @param {QueueRow} row @param {HTMLElement} anchor */
export function acts(board, row, anchor) {
  const { deeds } = board;
  openMenu(anchor, `Actions for ${row.title}`, () => [
    { label: 'Who waits, and why', icon: /** @type {const} */ ('queue'), run: () => openQueue(board, row.queue) },
    { label: 'Its agents', icon: /** @type {const} */ ('users'), run: () => board.show({ queue: row.queue, show: 'here' }) },
    row.draining
      ? { label: 'Take new conversations again', icon: /** @type {const} */ ('done'), run: () => deeds.undrainQueue(row) }
      : { label: 'Drain: take nothing new…', icon: /** @type {const} */ ('pause'), run: () => deeds.drainQueue(row, board.queues) },
  ]);
}
