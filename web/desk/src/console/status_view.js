// The agent's own status, in the top bar: what it is, and a menu for another, for after the work that is under way, and for the channels.

import { icon } from '../shared/icons.js';
import { openMenu } from '../shared/overlay.js';
import { h } from '../shared/view.js';
import { title } from './words.js';

/** @typedef {import('./app.js').App} App */

/** @param {App} app */
export function statusView(app) {
  const { status, available, next_status, draining, connection, settings } = app.state;
  if (!settings || status === undefined) return h('span', { class: 'status waiting' }, h('span', { class: 'spinner' }), 'Connecting');
  const off = switchedOff(app).length;
  const unreachable = connection === 'unreachable';
  return h(
    'button',
    { id: 'status', class: `status ${available ? 'on' : ''}`, 'aria-haspopup': 'menu', 'aria-expanded': 'false', onclick: (/** @type {any} */ { currentTarget }) => statusMenu(app, currentTarget) },
    h('span', { class: `dot ${unreachable ? 'bad' : available ? 'good' : 'hollow'}` }),
    h('span', { class: 'now' }, unreachable ? 'Unreachable' : title(status)),
    next_status && h('span', { class: 'then' }, `then ${title(next_status).toLowerCase()}`),
    draining && h('span', { class: 'then' }, 'nothing new'),
    available && off > 0 && h('span', { class: 'then' }, `${off} off`),
    icon('down'),
  );
}

/** @param {App} app */
function switchedOff({ state }) {
  return (state.settings?.channels ?? []).filter((channel) => !state.channels?.includes(channel));
}

/**
 * @param {App} app
 * @param {HTMLElement} anchor
 */
export function statusMenu(app, anchor) {
  const set = (/** @type {string} */ name) => void app.deed('status', () => app.client.setStatus(name, channelsFor(app, name)));
  openMenu(anchor, 'Status', () => {
    const { settings, status, next_status, channels = [], connection } = app.state;
    const statuses = settings?.statuses ?? [];
    const busy = Object.keys(app.state.conversations).length > 0;
    return [
      { heading: 'I am' },
      ...(connection === 'unreachable' ? [{ label: 'Here again', icon: /** @type {const} */ ('done'), run: () => void app.ready() }] : []),
      ...statuses.map(({ name, available }) => ({ label: title(name), dot: available ? 'good' : 'hollow', checked: name === status, run: () => set(name) })),
      ...(busy
        ? [
            { heading: 'When my work is done' },
            ...(next_status ? [{ label: 'Stay as I am', run: () => void app.deed('status', () => app.client.nextStatus(null)) }] : []),
            ...statuses.filter(({ name, available }) => !available && name !== status).map(({ name }) => ({ label: title(name), checked: name === next_status, run: () => void app.deed('status', () => app.client.nextStatus(name)) })),
          ]
        : []),
      ...((settings?.channels.length ?? 0) > 1
        ? [
            { heading: 'Offer me' },
            ...(settings?.channels ?? []).map((channel) => ({
              label: title(channel),
              checked: channels.includes(channel),
              stays: true,
              run: () => {
                const now = app.state.channels ?? [];
                const next = now.includes(channel) ? now.filter((one) => one !== channel) : [...now, channel];
                void app.deed('status', () => app.client.setStatus(status ?? '', next));
              },
            })),
          ]
        : []),
    ];
  });
}

/**
 * Who is available with every channel off would wait for nothing: so then all are on.
 * @param {App} app
 * @param {string} name
 * @returns {readonly string[] | undefined}
 */
function channelsFor({ state }, name) {
  const available = state.settings?.statuses.find((one) => one.name === name)?.available;
  return available && (state.channels?.length ?? 0) === 0 ? state.settings?.channels : undefined;
}
