// The agents: as many as fit on a page, sorted and filtered by the server, whoever else there is.

import { icon } from '../shared/icons.js';
import { openMenu } from '../shared/overlay.js';
import { span } from '../shared/time.js';
import { h, memo } from '../shared/view.js';
import { openAgent } from './agent.js';
import { PAGE, groups, standing } from './model.js';
import { cell, head } from './queues.js';
import { alongRows } from './rows.js';

/** @typedef {import('./page.js').Board} Board @typedef {import('./model.js').AgentRow} AgentRow */

const ORDERS = /** @type {const} */ ([
  ['since', 'Longest as they are'],
  ['load', 'Fullest'],
  ['name', 'Name'],
]);

/** @param {Board} board */
export function agentsView(board) {
  const { agents, matching, filter } = board;
  const from = matching === 0 ? 0 : filter.page * PAGE + 1;
  return h(
    'section',
    { class: 'agents card', 'aria-labelledby': 'agents-title' },
    h('div', { class: 'card-head' }, h('h2', { id: 'agents-title' }, 'Agents'), h('p', { class: 'dim small mono', role: 'status' }, `${from}–${Math.min(filter.page * PAGE + agents.length, matching)} of ${matching}`)),
    toolsView(board),
    h(
      'div',
      { class: 'scroll', role: 'region', 'aria-label': 'Agents', tabindex: '0' },
      h(
        'table',
        { onkeydown: alongRows },
        h('thead', null, h('tr', null, [head('Agent', 'name'), head('Status', 'text'), head('Load'), head('Holds', 'text'), head('On offer'), head('Missed'), head('Actions', 'acts', true)])),
        h('tbody', null, agents.length === 0 ? h('tr', null, h('td', { colspan: '7', class: 'dim' }, 'Nobody is like that.')) : agents.map((row) => rowView(board, row))),
      ),
    ),
    matching > PAGE || filter.page > 0 ? pagerView(board) : null,
  );
}

/** @param {Board} board */
function toolsView(board) {
  const { totals, filter, queues, show } = board;
  const { here, groups: all } = groups(totals);
  const chips = [{ show: 'here', label: 'All here', agents: here, dot: '' }, ...all];
  return h(
    'div',
    { class: 'tools' },
    h(
      'div',
      { class: 'chips', role: 'group', 'aria-label': 'Who is shown' },
      chips.map((chip) =>
        h(
          'button',
          { key: chip.show, class: 'chip', 'aria-pressed': String(filter.show === chip.show), onclick: () => show({ show: chip.show }) },
          chip.dot && h('span', { class: `dot ${chip.dot}` }),
          h('bdi', null, chip.label),
          h('span', { class: 'mono count' }, chip.agents),
        ),
      ),
    ),
    h(
      'div',
      { class: 'fields-line' },
      h('div', { class: 'search' }, h('label', { for: 'find', class: 'unseen' }, 'Find an agent'), icon('search'), h('input', { id: 'find', type: 'search', placeholder: 'Find an agent', value: filter.find, autocomplete: 'off', spellcheck: 'false', oninput: (/** @type {any} */ event) => show({ find: event.target.value }) })),
      choice('of-queue', 'Queue', filter.queue, [['', 'All queues'], ...queues.map((row) => /** @type {const} */ ([row.queue, row.title]))], (queue) => show({ queue })),
      choice('in-order', 'Order', filter.order, ORDERS, (order) => show({ order: /** @type {any} */ (order) })),
    ),
  );
}

/**
 * @param {string} id
 * @param {string} label
 * @param {string} value
 * @param {readonly (readonly [string, string])[]} options
 * @param {(value: string) => void} chosen
 */
function choice(id, label, value, options, chosen) {
  // What was chosen stays chosen, where it is not among them any more.
  const all = options.some(([name]) => name === value) ? options : [...options, /** @type {const} */ ([value, value])];
  return h(
    'div',
    { key: id, class: 'choice' },
    h('label', { for: id, class: 'unseen' }, label),
    h('select', { id, onchange: (/** @type {any} */ event) => chosen(event.target.value) }, all.map(([name, text]) => h('option', { key: name, value: name, selected: name === value }, text))),
  );
}

/** @param {Board} board @param {AgentRow} row */
function rowView(board, row) {
  const since = span(Math.max(0, Date.now() - row.since));
  // The board is another value each time, and the same board.
  return memo(row.agent, [row, since], () => {
    const { word, dot } = standing(row);
    const other = row.title !== row.agent;
    return h(
      'tr',
      null,
      h('th', { scope: 'row', class: 'name' }, h('button', { class: 'row-name', onclick: () => openAgent(board, row.agent) }, h('bdi', { class: 'one-line' }, row.title)), other && h('bdi', { class: 'under one-line' }, row.agent), row.program && h('span', { class: 'badge' }, 'Program')),
      h('td', { class: 'text', 'data-label': 'Status' }, h('span', { class: 'stands' }, h('span', { class: `dot ${dot}` }), h('bdi', null, word)), h('span', { class: 'under mono' }, `for ${since}`), row.draining && h('span', { class: 'badge warn' }, 'Draining'), row.next_status && h('span', { class: 'badge' }, `Then ${row.next_status}`)),
      cell('Load', loadView(row.load)),
      h('td', { class: 'text', 'data-label': 'Holds' }, heldView(row)),
      cell('On offer', row.offers === 0 ? h('span', { class: 'dim' }, '–') : row.offers),
      cell('Missed', row.missed ? h('span', { class: 'wait warn' }, row.missed) : h('span', { class: 'dim' }, '–')),
      h('td', { class: 'acts' }, h('button', { class: 'quiet square', 'aria-label': `Actions for ${row.title}`, 'aria-haspopup': 'menu', 'aria-expanded': 'false', onclick: (/** @type {any} */ event) => acts(board, row, event.currentTarget) }, icon('more'))),
    );
  });
}

/** @param {number} load Per cent; more than all of it where it was forced. */
export function loadView(load) {
  const tone = load >= 100 ? 'full' : '';
  return [h('span', { class: `meter ${tone}`, 'aria-hidden': 'true' }, h('span', { style: { width: `${Math.min(100, load)}%` } })), h('span', { class: 'percent' }, `${load} %`)];
}

/** @param {AgentRow} row */
export function heldView({ channels = [], conversations, paused }) {
  if (conversations === 0 && channels.length === 0) return h('span', { class: 'dim' }, 'nothing');
  return [
    ...channels.map(({ channel, held, limit }) => h('span', { key: channel, class: 'held mono' }, h('bdi', null, channel), ` ${Number.isInteger(held) ? held : held.toFixed(1)}/${limit}`)),
    paused ? h('span', { key: 'paused', class: 'under' }, `${paused} paused`) : null,
  ];
}

/** @param {Board} board */
function pagerView({ filter, matching, show }) {
  const last = Math.max(0, Math.ceil(matching / PAGE) - 1);
  return h(
    'nav',
    { class: 'pager', 'aria-label': 'Pages of agents' },
    h('button', { key: 'before', disabled: filter.page === 0, onclick: () => show({ page: filter.page - 1 }) }, 'Before'),
    h('span', { key: 'page', class: 'dim small mono' }, `Page ${filter.page + 1} of ${last + 1}`),
    h('button', { key: 'next', disabled: filter.page >= last, onclick: () => show({ page: filter.page + 1 }) }, 'Next'),
  );
}

/** @param {Board} board @param {AgentRow} row @param {HTMLElement} anchor */
function acts(board, row, anchor) {
  const { deeds } = board;
  const away = row.connection === 'offline';
  openMenu(anchor, `Actions for ${row.title}`, () => [
    { label: 'What is held, and why', icon: /** @type {const} */ ('user'), run: () => openAgent(board, row.agent) },
    { label: 'Set the status…', icon: /** @type {const} */ ('clock'), off: away, hint: away ? 'offline' : undefined, run: () => deeds.forceStatus(row) },
    row.draining
      ? { label: 'Offer new conversations again', icon: /** @type {const} */ ('done'), run: () => deeds.drainAgent(row, false) }
      : { label: 'Drain: offer nothing new…', icon: /** @type {const} */ ('pause'), run: () => deeds.drainAgent(row, true) },
  ].map(({ hint, ...item }) => (/** @type {any} */ ({ ...item, ...(hint && { hint }) }))));
}
