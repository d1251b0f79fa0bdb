// What lies over a page for a while: dialogs, menus, and short messages at the edge. Each gives the focus back to where it was.

import { h, render } from './view.js';
import { icon } from './icons.js';

/** @typedef {import('./view.js').View} View @typedef {import('./view.js').Kid} Kid */

/**
 * @typedef {object} Dialog
 * @property {() => void} draw Describes it anew.
 * @property {() => void} close
 */

/**
 * Opens a dialog that takes all keys until it is closed.
 * @param {object} what
 * @param {string} what.title
 * @param {(dialog: Dialog) => Kid} what.body
 * @param {(dialog: Dialog) => Kid} [what.foot]
 * @param {string} [what.kind] Classes.
 * @param {() => void} [what.closed]
 * @returns {Dialog}
 */
export function openDialog({ title, body, foot, kind = '', closed }) {
  const before = /** @type {HTMLElement | null} */ (document.activeElement);
  const node = document.createElement('dialog');
  node.className = `dialog ${kind}`;
  node.setAttribute('aria-label', title);
  document.body.append(node);
  // Whoever closes it goes on typing: the focus is back at once, and not when the event of the closing comes.
  const close = () => {
    if (!node.isConnected) return;
    node.close();
    node.remove();
    if (before?.isConnected) before.focus();
    closed?.();
  };
  /** @type {Dialog} */
  const dialog = {
    close,
    draw: () =>
      render(
        node,
        h('header', null, h('h2', null, title), h('button', { class: 'quiet square', 'aria-label': 'Close', onclick: close }, icon('close'))),
        h('div', { class: 'body' }, body(dialog)),
        foot && h('footer', null, foot(dialog)),
      ),
  };
  node.addEventListener('cancel', (event) => (event.preventDefault(), close()));
  // However else a browser closes one.
  node.addEventListener('close', close);
  // Outside of it is its own backdrop.
  node.addEventListener('pointerdown', ({ target }) => target === node && close());
  dialog.draw();
  node.showModal();
  /** @type {HTMLElement | null} */ (node.querySelector('[data-first], .body input, .body select, .body textarea, .body button, footer button'))?.focus();
  return dialog;
}

/**
 * Asks before something that cannot be taken back.
 * @param {string} title
 * @param {string} text
 * @param {string} yes What the button says.
 * @returns {Promise<boolean>}
 */
export function confirmed(title, text, yes) {
  return new Promise((done) => {
    let answer = false;
    const say = (/** @type {Dialog} */ dialog) => {
      answer = true;
      dialog.close();
    };
    openDialog({
      title,
      body: () => h('p', null, text),
      foot: (dialog) => [
        h('button', { onclick: () => dialog.close() }, 'Cancel'),
        h('button', { class: 'primary', 'data-first': true, onclick: () => say(dialog) }, yes),
      ],
      closed: () => done(answer),
    });
  });
}

/**
 * @typedef {object} Item
 * @property {string} label
 * @property {string} [hint] Small, at the end.
 * @property {import('./icons.js').IconName} [icon]
 * @property {boolean} [checked] One of several, or on; absent: it is a deed.
 * @property {boolean} [stays] The menu stays open, for several to be chosen.
 * @property {boolean} [off]
 * @property {string} [dot] A class, for a coloured dot.
 * @property {() => void} run
 *
 * @typedef {{ heading: string }} Heading
 */

/** @type {(() => void) | undefined} */
let closeOpen;
/** @type {HTMLElement | undefined} */
let anchored;

/** After a drawing: a menu of what is not there any more goes with it. */
export function tidy() {
  if (anchored && !anchored.isConnected) closeOpen?.();
}

/**
 * Opens a menu below, or above, what was pressed.
 * @param {HTMLElement} anchor
 * @param {string} label
 * @param {() => (Item | Heading)[]} items Described anew when something was chosen and the menu stays.
 */
export function openMenu(anchor, label, items) {
  closeOpen?.();
  const node = document.createElement('div');
  node.className = 'menu';
  node.setAttribute('role', 'menu');
  node.setAttribute('aria-label', label);
  node.tabIndex = -1;
  document.body.append(node);
  anchor.setAttribute('aria-expanded', 'true');
  const close = (/** @type {boolean} */ back) => {
    closeOpen = anchored = undefined;
    document.removeEventListener('pointerdown', outside, true);
    removeEventListener('resize', gone);
    node.remove();
    anchor.setAttribute('aria-expanded', 'false');
    if (back && anchor.isConnected) anchor.focus();
  };
  const outside = (/** @type {Event} */ event) => node.contains(/** @type {Node} */ (event.target)) || close(false);
  const gone = () => close(false);
  closeOpen = gone;
  anchored = anchor;
  const choose = (/** @type {Item} */ item) => {
    if (item.stays) {
      item.run();
      draw();
    } else {
      close(true);
      item.run();
    }
  };
  const draw = () => render(node, items().map((one, place) => ('heading' in one ? h('div', { class: 'heading', role: 'presentation' }, one.heading) : itemView(one, place, choose))));
  const buttons = () => /** @type {HTMLElement[]} */ ([...node.querySelectorAll('button:not(:disabled)')]);
  node.addEventListener('keydown', (event) => {
    const all = buttons();
    const at = all.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    const typed = event.key.length === 1 && /\S/.test(event.key) && !event.ctrlKey && !event.metaKey && !event.altKey;
    if (event.key === 'Escape' || event.key === 'Tab') close(true);
    else if (event.key === 'ArrowDown') all[(at + 1) % all.length]?.focus();
    else if (event.key === 'ArrowUp') all[(at - 1 + all.length) % all.length]?.focus();
    else if (event.key === 'Home') all[0]?.focus();
    else if (event.key === 'End') all.at(-1)?.focus();
    else if (typed && /[1-9]/.test(event.key) && all[Number(event.key) - 1]) all[Number(event.key) - 1]?.click();
    else if (typed) [...all.slice(at + 1), ...all].find((one) => one.dataset.label?.toLowerCase().startsWith(event.key.toLowerCase()))?.focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  draw();
  place(node, anchor);
  document.addEventListener('pointerdown', outside, true);
  addEventListener('resize', gone);
  (/** @type {HTMLElement | null} */ (node.querySelector('button[aria-checked=true]')) ?? buttons()[0] ?? node).focus();
}

/**
 * @param {Item} item
 * @param {number} place
 * @param {(item: Item) => void} choose
 */
function itemView(item, place, choose) {
  const role = item.checked === undefined ? 'menuitem' : item.stays ? 'menuitemcheckbox' : 'menuitemradio';
  return h(
    'button',
    { key: place, role, tabindex: -1, 'data-label': item.label, disabled: item.off ?? false, 'aria-checked': item.checked === undefined ? undefined : String(item.checked), onclick: () => choose(item) },
    item.dot && h('span', { class: `dot ${item.dot}` }),
    item.icon && icon(item.icon),
    h('span', { class: 'label' }, item.label),
    item.hint && h('span', { class: 'hint' }, item.hint),
    item.checked && icon('accept', 'mark'),
  );
}

/**
 * @param {HTMLElement} node
 * @param {HTMLElement} anchor
 */
function place(node, anchor) {
  const at = anchor.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = node;
  const below = at.bottom + 4 + height <= innerHeight;
  const left = Math.max(8, Math.min(at.left, innerWidth - width - 8));
  node.style.left = `${left}px`;
  node.style.top = `${below ? at.bottom + 4 : Math.max(8, at.top - 4 - height)}px`;
}

/** @type {{ text: string, bad: boolean, key: number, deed?: { label: string, run: () => void } }[]} */
let toasts = [];
let toastKey = 0;
const TOAST_MS = 6_000;
const TOASTS_MAX = 4;
/** @type {HTMLElement | undefined} */
let toastRoot;

/**
 * A short message at the edge, which is read out too.
 * @param {string} text
 * @param {{ bad?: boolean, deed?: { label: string, run: () => void } }} [more]
 */
export function toast(text, { bad = false, deed } = {}) {
  const key = ++toastKey;
  toasts = [...toasts.filter((one) => one.text !== text), { text, bad, key, ...(deed && { deed }) }].slice(-TOASTS_MAX);
  drawToasts();
  setTimeout(() => dropToast(key), deed || bad ? 2 * TOAST_MS : TOAST_MS);
}

/** @param {number} key */
function dropToast(key) {
  // One that is pointed at, or has the focus, is being read.
  const shown = toastRoot?.querySelector(`[data-key="${key}"]`);
  if (shown?.matches(':hover, :focus-within')) return void setTimeout(() => dropToast(key), TOAST_MS);
  toasts = toasts.filter((one) => one.key !== key);
  drawToasts();
}

function drawToasts() {
  toastRoot ??= region('toasts', 'polite');
  render(
    toastRoot,
    toasts.map(({ text, bad, key, deed }) =>
      h(
        'div',
        { key, class: bad ? 'toast bad' : 'toast', 'data-key': key },
        bad && icon('alert'),
        h('span', { dir: 'auto' }, text),
        deed && h('button', { class: 'link', onclick: () => (dropToast(key), deed.run()) }, deed.label),
        h('button', { class: 'quiet square', 'aria-label': 'Dismiss', onclick: () => ((toasts = toasts.filter((one) => one.key !== key)), drawToasts()) }, icon('close')),
      ),
    ),
  );
}

/** @type {Record<string, HTMLElement>} */
const said = {};

/**
 * Is read out, and not shown.
 * @param {string} text
 * @param {'polite' | 'assertive'} [how] `assertive`: at once, whatever is being read.
 */
export function announce(text, how = 'polite') {
  const node = (said[how] ??= region('unseen', how));
  // The same once more is read once more.
  node.textContent = node.textContent === text ? `${text}\u00a0` : text;
}

/**
 * @param {string} name
 * @param {'polite' | 'assertive'} how
 */
function region(name, how) {
  const node = document.createElement('div');
  node.className = name;
  node.setAttribute('aria-live', how);
  node.setAttribute('role', how === 'assertive' ? 'alert' : 'status');
  document.body.append(node);
  return node;
}
