// The console as a whole: the top bar, offers, and three columns that become one on a phone; and its keys.

import { icon } from '../shared/icons.js';
import { openHelp } from '../shared/help.js';
import { confirmed, openMenu } from '../shared/overlay.js';
import { h } from '../shared/view.js';
import { App } from './app.js';
import { pick, takesFiles } from './attach_view.js';
import { composerField, noting } from './composer.js';
import { closeChosen, toggleDetails } from './deeds.js';
import { detailsView } from './details_view.js';
import { choose, listView } from './list_view.js';
import { decline, offersView, waitingOffers } from './offers_view.js';
import { openSettings } from './settings_view.js';
import { statusMenu, statusView } from './status_view.js';
import { openTransfer } from './transfer.js';

/** Below this width there is one column. */
const NARROW = '(max-width: 760px)';
const INPUT_EVENTS = ['keydown', 'pointerdown', 'pointermove', 'wheel', 'touchstart'];

/**
 * @param {import('../shared/shell.js').Shell} shell
 * @returns {import('../shared/shell.js').Page}
 */
export function consolePage(shell) {
  const app = new App(shell);
  const narrow = matchMedia(NARROW);
  app.narrow = () => narrow.matches;
  // Where there is no room for a third column, it lies over the second one, and only when it is asked for.
  const middle = matchMedia('(max-width: 1080px)');
  app.detailsOpen = !middle.matches;
  middle.addEventListener('change', () => ((app.detailsOpen = !middle.matches), app.changed()));
  narrow.addEventListener('change', () => app.changed());
  addKeys(app);
  // For workspaces in which nobody moving for long means something. The client says it every few seconds at most.
  for (const event of INPUT_EVENTS) addEventListener(event, () => app.client.input(), { passive: true, capture: true });
  let before = app.state;
  return {
    view: () => {
      app.threadView.hold();
      return h(
        'div',
        { class: `console at-${app.column}` },
        topBar(app),
        shell.banner(),
        offersView(app),
        h('div', { class: `columns ${app.detailsOpen && app.conversation ? 'with-details' : ''}` }, listView(app), app.threadView.view(), detailsView(app)),
      );
    },
    drawn: () => {
      app.threadView.drawn();
      app.alerts.painted(waitingOffers(app).map(({ offer }) => offer));
      const { focus } = app;
      app.focus = '';
      // On a phone that would open the keyboard over what one wants to read.
      if (focus === 'composer' && !app.narrow()) composerField()?.focus({ preventScroll: true });
      if (focus === 'row') /** @type {HTMLElement | null} */ (document.querySelector('.row[aria-current=true]'))?.focus();
    },
    heard: (state, frame) => {
      const was = before;
      before = state;
      app.heard(state, frame, was);
    },
  };
}

/** @param {App} app */
function topBar(app) {
  const { state, shell } = app;
  const title = state.agent?.title ?? shell.session.who.title;
  return h(
    'header',
    { class: 'top' },
    h('div', { class: 'place' }, h('span', { class: 'logo', 'aria-hidden': 'true' }, icon('chat')), h('span', { class: 'one-line' }, shell.workspace)),
    h('div', { class: 'middle' }, statusView(app)),
    h(
      'div',
      { class: 'own' },
      h('button', { class: 'quiet square', 'aria-label': soundLabel(app), title: soundLabel(app), onclick: () => shell.choices.set({ sound: !shell.choices.current.sound }) }, icon(shell.choices.current.sound ? 'bell' : 'bell_off')),
      h('button', { class: 'quiet square keyboard', 'aria-label': 'Keyboard shortcuts', title: 'Keyboard shortcuts', onclick: () => openHelp(shell.keys, shell.choices) }, icon('help')),
      h('button', { class: 'quiet me', 'aria-haspopup': 'menu', 'aria-expanded': 'false', onclick: (/** @type {any} */ { currentTarget }) => ownMenu(app, currentTarget) }, h('span', { class: 'face small', 'aria-hidden': 'true' }, initials(title)), h('bdi', { class: 'one-line' }, title), icon('down')),
    ),
  );
}

/** @param {App} app */
const soundLabel = ({ shell }) => (shell.choices.current.sound ? 'Offers make a sound. Switch it off' : 'Offers make no sound. Switch it on');

/** @param {string} title */
function initials(title) {
  const words = title.trim().split(/\s+/);
  return [words[0], words.length > 1 ? words.at(-1) : ''].map((word) => [...(word ?? '')][0] ?? '').join('').toUpperCase();
}

/**
 * @param {App} app
 * @param {HTMLElement} anchor
 */
function ownMenu(app, anchor) {
  const { shell } = app;
  const role = app.state.agent?.role ?? shell.session.who.role;
  openMenu(anchor, 'You', () => [
    { heading: `${shell.workspace}, as ${role}` },
    { label: 'Settings', icon: 'gear', hint: ',', run: () => openSettings(app) },
    { label: 'Saved replies', icon: 'note', run: () => app.openCanned() },
    { label: 'Keyboard shortcuts', icon: 'help', hint: '?', run: () => openHelp(shell.keys, shell.choices) },
    ...(role === 'agent' ? [] : [{ label: 'Wallboard', icon: /** @type {const} */ ('users'), run: () => void window.open(`/wallboard/${shell.workspace}`, '_blank', 'noopener') }]),
    { label: 'Sign out', icon: 'sign_out', run: () => void signOut(app) },
  ]);
}

/** @param {App} app */
async function signOut(app) {
  const held = Object.keys(app.state.conversations).length;
  const text = held > 0 ? `You have ${held} ${held === 1 ? 'conversation' : 'conversations'}. Signed out you are offline, and their customers’ next message puts them back into their queue.` : 'You are offline then, on all your devices.';
  if (await confirmed('Sign out?', text, 'Sign out')) await app.shell.signOut();
}

/** @param {App} app */
function addKeys(app) {
  const { keys, choices } = app.shell;
  const offered = () => waitingOffers(app)[0];
  const chosen = () => app.conversation !== undefined;
  const mine = () => app.conversation?.owner === app.state.agent?.name && chosen();
  const attaches = () => takesFiles(app, app.conversation);
  const [offers, list, thread] = ['An offer', 'The list', 'The conversation'];
  const focusOn = (/** @type {string} */ id) => requestAnimationFrame(() => document.getElementById(id)?.focus());
  const declineFirst = () => {
    const button = /** @type {HTMLElement | null} */ (document.querySelector('.offer .decline'));
    const offer = offered();
    if (offer && button) decline(app, offer.offer, button);
  };
  keys.add(
    { keys: 'Alt+a', what: 'Accept it', group: offers, writing: true, when: () => offered() !== undefined, run: () => void app.accept(offered()?.offer ?? '') },
    { keys: 'Alt+r', what: 'Decline it, then the number of the reason', group: offers, writing: true, when: () => offered() !== undefined, run: declineFirst },
    { keys: 'j', what: 'Next conversation', group: list, run: () => app.move(1, 'row') },
    { keys: 'k', what: 'Conversation before', group: list, run: () => app.move(-1, 'row') },
    { keys: 'Alt+ArrowDown', what: 'Next, while writing', group: list, writing: true, run: () => app.move(1, 'composer') },
    { keys: 'Alt+ArrowUp', what: 'Before, while writing', group: list, writing: true, run: () => app.move(-1, 'composer') },
    { keys: '/', what: 'Find in the list', group: list, run: () => (choose(app, 'mine'), focusOn('narrow')) },
    { keys: 'g m', what: 'Mine', group: list, run: () => choose(app, 'mine') },
    { keys: 'g q', what: 'What waits in a queue', group: list, run: () => choose(app, 'waiting') },
    { keys: 'g p', what: 'Past conversations', group: list, run: () => (choose(app, 'past'), focusOn('past_text')) },
    { keys: 'r', what: 'Write a reply', group: thread, when: chosen, run: () => noting(app, app.chosen ?? '', false) },
    { keys: 'n', what: 'Write a note', group: thread, when: chosen, run: () => noting(app, app.chosen ?? '', true) },
    { keys: 'Alt+n', what: 'Reply or note, while writing', group: thread, writing: true, when: chosen, run: () => noting(app, app.chosen ?? '', !app.noting.has(app.chosen ?? '')) },
    { keys: 'u', what: 'Attach files', group: thread, when: attaches, run: pick },
    { keys: 'Alt+u', what: 'The same, while writing', group: thread, writing: true, when: attaches, run: pick },
    { keys: 'Escape', what: 'From writing to the list', group: thread, writing: true, when: () => false, run: () => {} },
    { keys: 'e', what: 'Close it, or end its wrap-up', group: thread, when: mine, run: () => closeChosen(app) },
    { keys: 'Alt+e', what: 'The same, while writing', group: thread, writing: true, when: mine, run: () => closeChosen(app) },
    { keys: 'x', what: 'More time for wrap-up', group: thread, when: () => app.conversation?.state === 'wrap_up', run: () => document.getElementById('extend')?.click() },
    { keys: 't', what: 'Transfer it', group: thread, when: () => mine() && app.conversation?.state === 'active', run: () => app.conversation && openTransfer(app, app.conversation) },
    { keys: 'l', what: 'Label it', group: thread, when: chosen, run: () => ((app.detailsOpen = true), (app.column = app.narrow() ? 'details' : app.column), app.changed(), requestAnimationFrame(() => /** @type {HTMLElement | null} */ (document.querySelector('.labels select, .labels input'))?.focus())) },
    { keys: 'd', what: 'Show or hide the details', group: thread, when: chosen, run: () => toggleDetails(app) },
    { keys: 's', what: 'Status and channels', group: 'Everywhere', run: () => /** @type {any} */ (document.getElementById('status')) && statusMenu(app, /** @type {HTMLElement} */ (document.getElementById('status'))) },
    { keys: 'c', what: 'Saved replies', group: 'Everywhere', run: () => app.openCanned() },
    { keys: ',', what: 'Settings', group: 'Everywhere', run: () => openSettings(app) },
    { keys: 'm', what: 'Sound on or off', group: 'Everywhere', run: () => choices.set({ sound: !choices.current.sound }) },
  );
}
