// The wallboard as a whole: what is watched, what is shown of it, and the keys that lead there.

import { icon } from '../shared/icons.js';
import { openMenu } from '../shared/overlay.js';
import { clockTime } from '../shared/time.js';
import { h } from '../shared/view.js';
import { agentsView } from './agents.js';
import { Deeds } from './deeds.js';
import { findTalk } from './talk.js';
import { Health, healthView } from './health.js';
import { byNeed, fromQuery, sheetOf, toQuery } from './model.js';
import { queuesView } from './queues.js';
import { screenView } from './screen.js';
import { tilesView } from './tiles.js';

/**
 * @typedef {import('../shared/view.js').Kid} Kid
 * @typedef {import('./model.js').Filter} Filter
 * @typedef {import('./model.js').QueueRow} QueueRow
 * @typedef {import('./model.js').AgentRow} AgentRow
 *
 * @typedef {object} Board What every part of the wallboard is given.
 * @property {import('../shared/shell.js').Shell} shell
 * @property {Deeds} deeds
 * @property {Filter} filter
 * @property {(change: Partial<Filter>) => void} show
 * @property {QueueRow[]} queues By need.
 * @property {AgentRow[]} agents Of this page, in order.
 * @property {number} matching
 * @property {readonly import('./model.js').Total[]} totals
 * @property {(queue: string) => string} titled
 * @property {number} waitedMore Milliseconds since the rows of queues came, for waits that go on.
 * @property {boolean} known Rows have come.
 * @property {() => Board} fresh The same as it is by now.
 */

const FIND_MS = 250;

/**
 * @param {import('../shared/shell.js').Shell} shell
 * @returns {import('../shared/shell.js').Page}
 */
export function wallboardPage(shell) {
  const { client, keys } = shell;
  const address = new URLSearchParams(location.search);
  let filter = fromQuery(address);
  let screen = address.has('screen');
  let heardAt = client.now();
  /** @type {number | undefined} The wall's time when something was heard last. */
  let asOf;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let finding;
  const deeds = new Deeds(shell);
  const health = new Health(client, shell.changed);

  const isSupervisor = () => (client.state.agent?.role ?? shell.session.who.role) !== 'agent';
  const watchAgents = () => void client.watch('agents', sheetOf(filter));
  const watchAll = () => {
    void client.watch('queues', { limit: 200 });
    watchAgents();
  };
  const keep = () => {
    const query = toQuery(filter);
    if (screen) query.set('screen', '');
    const text = query.toString().replace('screen=', 'screen');
    history.replaceState(history.state, '', location.pathname + (text ? `?${text}` : ''));
  };
  const show = (/** @type {Partial<Filter>} */ change) => {
    filter = { ...filter, page: 0, ...change };
    keep();
    clearTimeout(finding);
    // Not for each letter that is typed.
    if ('find' in change) finding = setTimeout(watchAgents, FIND_MS);
    else watchAgents();
    shell.changed();
  };
  const toScreen = (/** @type {boolean} */ on) => {
    screen = on;
    keep();
    const { documentElement: page } = document;
    // Where the browser does not want to, the page is as large as its window.
    if (on) page.requestFullscreen?.().catch(() => {});
    else if (document.fullscreenElement) document.exitFullscreen().catch(() => {});
    shell.changed();
  };
  document.addEventListener('fullscreenchange', () => {
    if (!document.fullscreenElement && screen) toScreen(false);
  });

  const focus = (/** @type {string} */ selector) => /** @type {HTMLElement | null} */ (document.querySelector(selector))?.focus();
  const off = () => !screen;
  const pages = () => Math.max(1, Math.ceil((client.state.watched.agents?.matching ?? 0) / 50));
  keys.add(
    { keys: 'q', what: 'To the queues', group: 'Wallboard', when: off, run: () => focus('.queues .row-name') },
    { keys: 'a', what: 'To the agents', group: 'Wallboard', when: off, run: () => focus('.agents .row-name') },
    { keys: '/', what: 'Find an agent', group: 'Wallboard', when: off, run: () => focus('#find') },
    { keys: 'f', what: 'Find a conversation by its number', group: 'Wallboard', when: off, run: () => findTalk(board()) },
    { keys: 'n', what: 'Next page of agents', group: 'Wallboard', when: () => off() && filter.page + 1 < pages(), run: () => show({ page: filter.page + 1 }) },
    { keys: 'p', what: 'Page of agents before', group: 'Wallboard', when: () => off() && filter.page > 0, run: () => show({ page: filter.page - 1 }) },
    { keys: 'b', what: 'Big screen, and back', group: 'Wallboard', run: () => toScreen(!screen) },
    { keys: 'Escape', what: 'Leave the big screen', group: 'Wallboard', when: () => screen, run: () => toScreen(false) },
  );

  /** @returns {Board} */
  function board() {
    const { queues, agents } = client.state.watched;
    const rows = /** @type {QueueRow[]} */ (Object.values(queues?.rows ?? {}));
    const known = Object.fromEntries(rows.map(({ queue, title }) => [queue, title]));
    return {
      shell,
      deeds,
      filter,
      show,
      queues: byNeed(rows),
      agents: (agents?.names ?? []).map((name) => agents?.rows[name]).filter(Boolean),
      matching: agents?.matching ?? 0,
      totals: agents?.totals ?? [],
      titled: (queue) => (Object.hasOwn(known, queue) ? (known[queue] ?? queue) : queue),
      // What stands still stands still: a wait is not guessed while nothing is heard.
      waitedMore: client.state.link.phase === 'live' ? Math.min(client.now() - heardAt, 5_000) : 0,
      known: queues !== undefined && agents !== undefined,
      fresh: board,
    };
  }

  /** @returns {Kid} */
  function view() {
    if (!isSupervisor()) return forbidden();
    const now = board();
    const { link, stale, watched } = client.state;
    const old = stale || link.phase !== 'live';
    const paused = Object.values(watched).some((one) => one.paused);
    const note = old ? (asOf === undefined ? 'Nothing heard yet' : `As of ${clockTime(asOf)}`) : paused ? 'Changes stand still: the server is short of memory' : 'Live';
    document.documentElement.classList.toggle('screen', screen);
    if (screen) return screenView(now, { old: old || paused, note, health, leave: () => toScreen(false) });
    return h(
      'div',
      { class: old || paused ? 'board old' : 'board' },
      topView(note, old || paused),
      shell.banner(),
      h(
        'main',
        { class: 'parts' },
        now.known ? [tilesView(now), queuesView(now), agentsView(now)] : h('div', { class: 'empty' }, h('h2', null, old ? 'Connecting…' : 'Loading…')),
      ),
    );
  }

  /** @param {string} note @param {boolean} old */
  function topView(note, old) {
    return h(
      'header',
      { class: 'top' },
      h('div', { class: 'place' }, h('span', { class: 'logo', 'aria-hidden': 'true' }, icon('users')), h('h1', null, 'Wallboard', h('span', { class: 'dim' }, ` ${shell.workspace}`))),
      h('p', { class: `live ${old ? 'old' : ''}` }, h('span', { class: `dot ${old ? 'warn' : 'good'}` }), h('span', { class: 'mono' }, note)),
      healthView(health),
      h('div', { class: 'deeds' }, [
        h('button', { key: 'find', class: 'quiet', 'aria-label': 'Find conversation', onclick: () => findTalk(board()) }, icon('search'), h('span', { class: 'wide-only' }, 'Find conversation')),
        h('button', { key: 'screen', class: 'quiet', 'aria-label': 'Big screen', onclick: () => toScreen(true) }, icon('details'), h('span', { class: 'wide-only' }, 'Big screen')),
        h('button', { key: 'more', class: 'quiet square', 'aria-label': 'More', 'aria-haspopup': 'menu', 'aria-expanded': 'false', onclick: (/** @type {any} */ event) => more(event.currentTarget) }, icon('more')),
      ]),
    );
  }

  /** @param {HTMLElement} anchor */
  function more(anchor) {
    const { choices } = shell;
    const themes = /** @type {const} */ (['system', 'light', 'dark']);
    openMenu(anchor, 'More', () => [
      { heading: 'Colours' },
      ...themes.map((theme) => ({ label: theme === 'system' ? 'As the system' : theme === 'light' ? 'Light' : 'Dark', checked: choices.current.theme === theme, run: () => choices.set({ theme }) })),
      { heading: client.state.agent?.title ?? shell.session.who.title },
      { label: 'To the console', icon: /** @type {const} */ ('chat'), run: () => location.assign(`/console/${shell.workspace}`) },
      { label: 'Sign out', icon: /** @type {const} */ ('sign_out'), run: () => void shell.signOut() },
    ]);
  }

  function forbidden() {
    return h(
      'div',
      { class: 'board' },
      topView('', false),
      shell.banner(),
      h('main', { class: 'parts' }, h('div', { class: 'empty' }, icon('users'), h('h2', null, 'The wallboard is for supervisors'), h('p', null, 'Your sign-in has the role of an agent. Your place is the console.'), h('a', { href: `/console/${shell.workspace}` }, 'To the console'))),
    );
  }

  watchAll();
  return {
    view,
    heard(state, frame) {
      if (frame.type === 'queues' || (frame.type === 'reply' && frame.command?.what === 'queues')) heardAt = client.now();
      if (state.link.phase === 'live' && !frame.type.startsWith('local.')) asOf = Date.now();
      // Rows that came before it may have been dropped with it.
      if (frame.type === 'snapshot') watchAll();
    },
  };
}
