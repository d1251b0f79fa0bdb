// The offer: what cannot be missed. A card across the whole page with the time that the server has left for it, over nothing that one works on.

import { channelIcon, icon } from '../shared/icons.js';
import { keysView } from '../shared/help.js';
import { openMenu } from '../shared/overlay.js';
import { ago, countdown, span } from '../shared/time.js';
import { h } from '../shared/view.js';
import { nameOf, oneLine } from './order.js';
import { title } from './words.js';

/** @typedef {import('./app.js').App} App @typedef {import('../../../client/src/agent/frames.js').Offer} Offer */

/** The last seconds look like that. */
const LATE_MS = 10_000;

/** Those that this agent has not answered, the one that ends first before the others. @param {App} app */
export function waitingOffers(app) {
  return Object.values(app.state.offers)
    .filter(({ offer }) => !app.answered.has(offer) || !app.busy.has(`offer ${offer}`))
    .sort((a, b) => a.ends_at - b.ends_at);
}

/** @param {App} app */
export function offersView(app) {
  const offers = waitingOffers(app);
  if (offers.length === 0) return null;
  return h('section', { class: 'offers', 'aria-label': offers.length === 1 ? 'Offer' : 'Offers' }, offers.map((offer, place) => card(app, offer, place === 0)));
}

/**
 * @param {App} app
 * @param {Offer} offer
 * @param {boolean} first The keys are for this one.
 */
function card(app, offer, first) {
  const { offer: id, conversation, transfer, ends_at, auto_accept_at } = offer;
  const now = app.client.now();
  const left = Math.max(0, ends_at - now);
  const total = (app.totals.get(id) ?? 0) < left ? left : (app.totals.get(id) ?? left);
  app.totals.set(id, total);
  const waited = Date.now() - conversation.waiting_since;
  const page = conversation.metadata.page;
  const off = app.state.link.phase !== 'live';
  return h(
    'article',
    { key: id, class: `offer ${left <= LATE_MS ? 'ending' : ''}`, 'data-offer': id },
    h(
      'div',
      { class: 'ring', style: { '--left': String(total > 0 ? left / total : 0) }, 'aria-hidden': 'true' },
      h('svg', { viewBox: '0 0 48 48' }, h('circle', { class: 'track', cx: 24, cy: 24, r: 21 }), h('circle', { class: 'run', cx: 24, cy: 24, r: 21, pathLength: 1 })),
      h('span', { class: 'mono' }, Math.ceil(left / 1_000)),
    ),
    h(
      'div',
      { class: 'what' },
      h('h2', null, h('bdi', null, nameOf(conversation)), conversation.known && h('span', { class: 'badge' }, 'known')),
      h(
        'p',
        null,
        h('span', { class: 'fact' }, icon(channelIcon(conversation.channel)), title(conversation.channel)),
        h('span', { class: 'fact' }, title(conversation.queue)),
        transfer
          ? h('span', { class: 'fact strong' }, icon('transfer'), 'from ', h('bdi', null, transfer.from), transfer.warm ? ', to join' : '')
          : h('span', { class: 'fact' }, icon('clock'), waited < 60_000 ? `waits ${span(waited)}` : `has waited ${ago(waited)}`),
        conversation.skills.map(({ name }) => h('span', { key: name, class: 'badge' }, title(name))),
        conversation.priority > 0 && h('span', { class: 'badge warn' }, `Priority ${conversation.priority}`),
        page && h('span', { class: 'fact dim one-line', dir: 'auto' }, oneLine(page)),
      ),
      h('span', { class: 'unseen', role: 'timer' }, `${countdown(left)} left`),
    ),
    h(
      'div',
      { class: 'deeds' },
      h('button', { class: 'large decline', disabled: off, 'aria-haspopup': 'menu', 'aria-expanded': 'false', onclick: (/** @type {any} */ { currentTarget }) => decline(app, id, currentTarget) }, 'Decline', first && keysView('Alt+r')),
      h('button', { class: 'large accept', disabled: off, onclick: () => void app.accept(id) }, icon('accept'), transfer?.warm ? 'Join' : 'Accept', first && keysView('Alt+a')),
    ),
    auto_accept_at !== undefined && h('p', { class: 'auto' }, `Is accepted by itself in ${countdown(auto_accept_at - now)}`),
  );
}

/**
 * With a reason: one is picked, unless there is only one.
 * @param {App} app
 * @param {string} id
 * @param {HTMLElement} button
 */
export function decline(app, id, button) {
  const reasons = app.state.settings?.reject_reasons ?? [];
  if (reasons.length === 1) return void app.decline(id, /** @type {string} */ (reasons[0]));
  openMenu(button, 'Why', () => [{ heading: 'Decline, because' }, ...reasons.map((reason, place) => ({ label: title(reason), ...(place < 9 && { hint: String(place + 1) }), run: () => void app.decline(id, reason) }))]);
}
