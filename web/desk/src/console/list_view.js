// The left column: what this agent has, by what asks for it first; what waits in a queue that may be picked from; and what is past.

import { ago, countdown } from '../shared/time.js';
import { channelIcon, icon } from '../shared/icons.js';
import { h, memo } from '../shared/view.js';
import { listed, matches, PART_TITLES } from './order.js';
import { pastView } from './past.js';
import { waitingView } from './waiting.js';
import { title } from './words.js';

/**
 * @typedef {import('./app.js').App} App
 * @typedef {import('./order.js').Row} Row
 */

const TABS = /** @type {const} */ ([
  ['mine', 'Mine'],
  ['waiting', 'Queue'],
  ['past', 'Past'],
]);

/** @param {App} app */
export function listView(app) {
  const { state } = app;
  const count = Object.keys(state.conversations).length;
  return h(
    'nav',
    { class: 'list', 'aria-label': 'Conversations' },
    h(
      'div',
      { class: 'tabs', role: 'tablist', 'aria-label': 'Which conversations', onkeydown: (/** @type {KeyboardEvent} */ event) => arrows(app, event) },
      TABS.map(([tab, label]) =>
        h(
          'button',
          { key: tab, role: 'tab', id: `tab_${tab}`, 'aria-selected': String(app.tab === tab), 'aria-controls': 'tab_panel', tabindex: app.tab === tab ? 0 : -1, onclick: () => choose(app, tab) },
          label,
          tab === 'mine' && count > 0 && h('span', { class: 'count mono' }, count),
        ),
      ),
    ),
    h('div', { class: 'panel', role: 'tabpanel', id: 'tab_panel', 'aria-labelledby': `tab_${app.tab}` }, app.tab === 'mine' ? mine(app) : app.tab === 'waiting' ? waitingView(app) : pastView(app)),
    askToNotify(app),
  );
}

/**
 * @param {App} app
 * @param {App['tab']} tab
 */
export function choose(app, tab) {
  app.tab = tab;
  app.column = 'list';
  app.changed();
}

/**
 * @param {App} app
 * @param {KeyboardEvent} event
 */
function arrows(app, event) {
  const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
  if (step === 0) return;
  event.preventDefault();
  const at = TABS.findIndex(([tab]) => tab === app.tab);
  const next = /** @type {(typeof TABS)[number]} */ (TABS[(at + step + TABS.length) % TABS.length]);
  choose(app, next[0]);
  document.getElementById(`tab_${next[0]}`)?.focus();
}

/** Once, and by a click: what comes while nobody looks goes on to somebody else, unless the desktop may tell of it. @param {App} app */
function askToNotify(app) {
  const { choices } = app.shell;
  if (app.alerts.permission !== 'default' || !choices.current.notifications) return null;
  return h(
    'div',
    { class: 'ask', role: 'group', 'aria-label': 'Notifications' },
    h('p', null, 'Tell me of offers on the desktop while I look elsewhere?'),
    h('button', { onclick: () => void app.alerts.askPermission() }, 'Allow'),
    h('button', { class: 'quiet', onclick: () => choices.set({ notifications: false }) }, 'No'),
  );
}

/** @param {App} app */
function mine(app) {
  const { state } = app;
  const now = app.client.now();
  const parts = listed(state, now)
    .map(({ part, rows }) => ({ part, rows: app.wanted ? rows.filter((row) => matches(row, state.conversations[row.id], app.wanted)) : rows }))
    .filter(({ rows }) => rows.length > 0);
  const any = Object.keys(state.conversations).length > 0;
  return [
    (any || app.wanted) &&
      h(
        'div',
        { class: 'narrow' },
        icon('search'),
        h('input', { id: 'narrow', type: 'search', 'aria-label': 'Narrow this list', placeholder: 'Find in these', value: app.wanted, oninput: (/** @type {any} */ { target }) => ((app.wanted = target.value), app.changed()), onkeydown: (/** @type {KeyboardEvent} */ event) => event.key === 'Escape' && ((app.wanted = ''), app.changed()) }),
      ),
    parts.map(({ part, rows }) =>
      h(
        'section',
        { key: part, class: `part ${part}` },
        h('h3', { id: `part_${part}` }, PART_TITLES[part], ' ', h('span', { class: 'mono' }, rows.length)),
        h('ul', { 'aria-labelledby': `part_${part}` }, rows.map((row) => rowView(app, row, now))),
      ),
    ),
    parts.length === 0 && empty(app, any),
  ];
}

/**
 * @param {App} app
 * @param {boolean} any
 */
function empty(app, any) {
  const { state } = app;
  if (any) return h('div', { class: 'empty' }, h('p', null, 'None of yours has this in it.'));
  if (!state.settings || !state.complete) return h('div', { class: 'bones', 'aria-hidden': 'true' }, [1, 2, 3].map((key) => h('div', { key, class: 'bone' })));
  return h(
    'div',
    { class: 'empty' },
    icon('inbox'),
    h('h2', null, 'Nothing waits for you'),
    h('p', null, state.available ? 'The next conversation is offered to you here.' : 'While you are not available, nothing is offered to you.'),
    !state.available && h('button', { class: 'primary', onclick: () => void app.beAvailable() }, 'Be available'),
  );
}

/**
 * @param {App} app
 * @param {Row} row
 * @param {number} now On the client's clock.
 */
function rowView(app, row, now) {
  const { id } = row;
  const chosen = app.chosen === id;
  const wall = Date.now();
  const since = row.waitsSince ?? row.at;
  const age = row.wrapUpEndsAt !== undefined ? countdown(row.wrapUpEndsAt - now) : ago(wall - since);
  const draft = !chosen && app.drafts.has(id);
  const shown = [chosen, row.part, row.name, row.channel, row.queue, row.last, row.by, row.unread, row.late, row.guest, row.typing, row.failed, age, draft];
  return memo(id, shown, () =>
    h(
      'li',
      null,
      h(
        'button',
        { class: `row ${row.late ? 'late' : ''} ${row.unread > 0 ? 'unread' : ''}`, 'aria-current': chosen ? 'true' : undefined, 'data-conversation': id, onclick: () => app.open(id) },
        h('span', { class: 'avatar', 'aria-hidden': 'true' }, icon(channelIcon(row.channel))),
        h(
          'span',
          { class: 'lines' },
          h('span', { class: 'line' }, h('bdi', { class: 'name one-line' }, row.name), row.guest && h('span', { class: 'badge' }, 'joined'), h('span', { class: `age mono ${row.waitsSince !== undefined ? 'waits' : ''}` }, age)),
          h('span', { class: 'line second' }, preview(row, draft), row.unread > 0 && h('span', { class: 'badge accent mono', 'aria-hidden': 'true' }, row.unread)),
        ),
        h('span', { class: 'unseen' }, told(row)),
      ),
    ),
  );
}

/**
 * @param {Row} row
 * @param {boolean} draft
 */
function preview(row, draft) {
  if (row.failed) return h('span', { class: 'one-line bad' }, 'Not sent');
  if (row.typing) return h('span', { class: 'one-line typing' }, 'is typing…');
  if (draft) return h('span', { class: 'one-line draft' }, 'Draft');
  const by = row.by === 'me' ? 'You: ' : '';
  return h('span', { class: 'one-line' }, by, row.last ? h('bdi', null, row.last) : title(row.queue));
}

/** What the signs of a row say, for who cannot see them. @param {Row} row */
function told({ unread, waitsSince, late, queue, channel }) {
  return [unread > 0 && `${unread} unread`, waitsSince !== undefined && 'waits for an answer', late && 'late', `${channel} in ${title(queue)}`].filter(Boolean).join(', ');
}
