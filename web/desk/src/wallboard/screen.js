// The big screen: readable across a room, with nothing to press.

import { clockTime, countdown } from '../shared/time.js';
import { h } from '../shared/view.js';
import { healthView } from './health.js';
import { groups, percent, toneOf, urgency } from './model.js';
import { badges } from './queues.js';
import { tileView, tiles } from './tiles.js';

/** @typedef {import('./page.js').Board} Board */

/** What is larger than this would be too small to read. */
const ROWS = 7;

/**
 * @param {Board} board
 * @param {{ old: boolean, note: string, health: import('./health.js').Health, leave: () => void }} how
 */
export function screenView(board, { old, note, health, leave }) {
  const { queues, totals, waitedMore } = board;
  const { groups: all } = groups(totals);
  const shown = queues.slice(0, ROWS);
  const rest = queues.slice(ROWS);
  return h(
    'main',
    { class: old ? 'big old' : 'big' },
    h('header', null, h('h1', null, board.shell.workspace), h('p', { class: `live ${old ? 'old' : ''}` }, h('span', { class: `dot ${old ? 'warn' : 'good'}` }), note), healthView(health), h('p', { class: 'now mono' }, clockTime(Date.now()))),
    h('section', { class: 'tiles', 'aria-label': 'At a glance' }, h('dl', null, tiles(board).map(tileView))),
    h(
      'section',
      { class: 'board-queues', 'aria-label': 'Queues' },
      h(
        'table',
        null,
        h('thead', null, h('tr', null, ['Queue', 'Waiting', 'Longest', 'In time', 'Free'].map((text) => h('th', { key: text, scope: 'col', class: text === 'Queue' ? 'name' : 'number' }, text)))),
        h(
          'tbody',
          null,
          shown.map((row) => {
            const wait = row.longest_wait_ms + (row.waiting > 0 ? waitedMore : 0);
            const level = row.service ? percent(row.service.lately) : undefined;
            return h(
              'tr',
              { key: row.queue, class: row.open ? '' : 'shut' },
              h('th', { scope: 'row', class: 'name' }, h('bdi', { class: 'one-line' }, row.title), badges(row)),
              h('td', { class: 'number mono' }, row.waiting),
              h('td', { class: 'number mono' }, h('span', { class: `wait ${urgency(row, wait)}` }, row.waiting > 0 ? countdown(wait) : '–')),
              h('td', { class: 'number mono' }, h('span', { class: `level ${toneOf(level)}` }, level === undefined ? '–' : `${level} %`)),
              h('td', { class: 'number mono' }, `${row.agents_available}/${row.agents_there}`),
            );
          }),
        ),
      ),
      rest.length > 0 && h('p', { class: 'dim more' }, `and ${rest.length} more, ${rest.reduce((sum, row) => sum + row.waiting, 0)} waiting`),
    ),
    h('ul', { class: 'crowd', 'aria-label': 'Agents' }, all.filter((group) => group.show !== 'offline').slice(0, 6).map(({ show, label, agents, dot }) => h('li', { key: show }, h('span', { class: `dot ${dot}` }), h('bdi', { class: 'one-line' }, label), h('span', { class: 'mono count' }, agents)))),
    h('button', { class: 'leave', onclick: leave }, 'Leave the big screen (Esc)'),
  );
}
