// What a person may choose here: how it looks, how it sounds, whether the desktop tells, whether single letters are shortcuts.

import { openDialog, toast } from '../shared/overlay.js';
import { h } from '../shared/view.js';

const THEMES = /** @type {const} */ ([
  ['system', 'As the system'],
  ['light', 'Light'],
  ['dark', 'Dark'],
]);

/** @param {import('./app.js').App} app */
export function openSettings(app) {
  const { choices } = app.shell;
  const set = (/** @type {Partial<import('../shared/settings.js').Settings>} */ change, /** @type {import('../shared/overlay.js').Dialog} */ dialog) => {
    choices.set(change);
    dialog.draw();
  };
  openDialog({
    title: 'Settings of this browser',
    body: (dialog) => {
      const { theme, sound, volume, letters } = choices.current;
      return [
        h(
          'fieldset',
          { class: 'group' },
          h('legend', null, 'Appearance'),
          h('div', { class: 'choice-row' }, THEMES.map(([value, label]) => h('label', { key: value, class: 'check' }, h('input', { type: 'radio', name: 'theme', value, checked: theme === value, onchange: () => set({ theme: value }, dialog) }), label))),
        ),
        h(
          'fieldset',
          { class: 'group' },
          h('legend', null, 'When there is an offer'),
          h('label', { class: 'check' }, h('input', { type: 'checkbox', checked: sound, onchange: (/** @type {any} */ { target }) => set({ sound: target.checked }, dialog) }), 'A sound'),
          sound &&
            h(
              'div',
              { class: 'volume' },
              h('label', { for: 'volume' }, 'Volume'),
              h('input', { id: 'volume', type: 'range', min: 5, max: 100, step: 5, value: String(volume), onchange: (/** @type {any} */ { target }) => (set({ volume: Number(target.value) }, dialog), app.alerts.play(choices.current.volume)) }),
              h('button', { onclick: () => app.alerts.play(choices.current.volume) }, 'Try it'),
            ),
          notificationsView(app, dialog),
        ),
        h(
          'fieldset',
          { class: 'group' },
          h('legend', null, 'Keyboard'),
          h('label', { class: 'check' }, h('input', { type: 'checkbox', checked: letters, onchange: (/** @type {any} */ { target }) => set({ letters: target.checked }, dialog) }), 'Single letters are shortcuts'),
        ),
      ];
    },
  });
}

/**
 * @param {import('./app.js').App} app
 * @param {import('../shared/overlay.js').Dialog} dialog
 */
function notificationsView(app, dialog) {
  const { choices } = app.shell;
  const { permission } = app.alerts;
  if (!permission) return h('p', { class: 'dim small' }, 'This browser has no notifications for pages.');
  const on = choices.current.notifications && permission === 'granted';
  const change = async (/** @type {any} */ { target }) => {
    choices.set({ notifications: target.checked });
    if (target.checked && app.alerts.permission === 'default') await app.alerts.askPermission();
    if (target.checked && app.alerts.permission !== 'granted') toast('The browser does not let this page notify you.', { bad: true });
    dialog.draw();
  };
  return [
    h('label', { class: 'check', key: 'notify' }, h('input', { type: 'checkbox', checked: on, disabled: permission === 'denied', onchange: change }), 'A notification on the desktop while this page is out of sight'),
    permission === 'denied' && h('p', { key: 'denied', class: 'dim small' }, 'The browser’s own settings for this site forbid notifications.'),
    !on && h('p', { key: 'why', class: 'dim small' }, 'Without it, an offer that comes while this page is out of sight goes on to another agent after a few seconds.'),
  ];
}
