// A drawer at the side that shows one thing as it is, and asks again while it is open: what is asked about many things is not told by itself.

import { openDialog } from '../shared/overlay.js';
import { h } from '../shared/view.js';

/** @typedef {import('../shared/view.js').Kid} Kid */

const EVERY_MS = 2_000;
const TICK_MS = 1_000;

/**
 * @template T
 * @typedef {object} Drawer
 * @property {T | undefined} found
 * @property {string} fault Why it could not be asked.
 * @property {() => void} again Asks now: something was done.
 * @property {() => void} draw
 * @property {() => void} close
 */

/**
 * @template T
 * @param {object} what
 * @param {string} what.title
 * @param {() => Promise<T>} what.ask
 * @param {(drawer: Drawer<T>) => Kid} what.body
 * @param {(drawer: Drawer<T>) => Kid} [what.foot]
 */
export function openDrawer({ title, ask, body, foot }) {
  let open = true;
  let asking = false;
  /** @type {Drawer<T>} */
  const drawer = { found: undefined, fault: '', again: () => void load(), draw: () => open && dialog.draw(), close: () => dialog.close() };
  const load = async () => {
    if (asking || !open) return;
    asking = true;
    try {
      drawer.found = await ask();
      drawer.fault = '';
    } catch (error) {
      drawer.fault = faultSaid(error);
    } finally {
      asking = false;
      drawer.draw();
    }
  };
  const dialog = openDialog({
    title,
    kind: 'drawer',
    body: () => [drawer.fault && h('p', { class: 'fault', role: 'alert' }, drawer.fault), drawer.found === undefined ? !drawer.fault && h('p', { class: 'dim' }, 'Loading…') : body(drawer)],
    foot: foot && (() => foot(drawer)),
    closed: () => {
      open = false;
      clearInterval(asks);
      clearInterval(ticks);
    },
  });
  const seen = () => document.visibilityState === 'visible';
  const asks = setInterval(() => seen() && void load(), EVERY_MS);
  const ticks = setInterval(() => seen() && drawer.draw(), TICK_MS);
  void load();
  return drawer;
}

/** @param {unknown} error */
export function faultSaid(error) {
  const { code, message } = /** @type {{ code?: string, message?: string }} */ (error ?? {});
  if (code === 'wrong_state' || code === 'no_such_conversation') return 'It is over: this conversation waits for nobody any more.';
  return message ? `${message.charAt(0).toUpperCase()}${message.slice(1)}.` : 'It could not be asked.';
}
