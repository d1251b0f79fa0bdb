// The overlay that lists every shortcut there is, in groups, as they are on this keyboard.

import { h } from './view.js';
import { openDialog } from './overlay.js';
import { signs } from './keys.js';

/**
 * @param {import('./keys.js').Keys} keys
 * @param {import('./settings.js').Choices} choices
 */
export function openHelp(keys, choices) {
  /** @type {Map<string, import('./keys.js').Shortcut[]>} */
  const groups = new Map();
  for (const one of keys.all) groups.set(one.group, [...(groups.get(one.group) ?? []), one]);
  openDialog({
    title: 'Keyboard',
    kind: 'wide',
    body: (dialog) => [
      h(
        'div',
        { class: 'keymap', tabindex: 0, role: 'group', 'aria-label': 'Shortcuts' },
        [...groups].map(([group, all]) =>
          h('section', { key: group }, h('h3', null, group), h('dl', null, all.map((one) => h('div', { key: one.keys }, h('dt', null, one.what), h('dd', null, keysView(one.keys)))))),
        ),
      ),
      h(
        'label',
        { class: 'check' },
        h('input', { type: 'checkbox', checked: choices.current.letters, onchange: (/** @type {any} */ { target }) => (choices.set({ letters: target.checked }), dialog.draw()) }),
        'Single letters are shortcuts',
      ),
    ],
  });
}

/** @param {string} keys */
export function keysView(keys) {
  return h('span', { class: 'keys' }, signs(keys).map((sign, place) => h('kbd', { key: place }, sign)));
}
