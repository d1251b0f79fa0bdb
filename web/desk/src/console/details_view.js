// The right column: who the customer is, what the conversation is labelled with, and what else is known of it.

import { icon } from '../shared/icons.js';
import { dateTime, span } from '../shared/time.js';
import { h } from '../shared/view.js';
import { toggleDetails } from './deeds.js';
import { labelsView } from './labels_view.js';
import { nameOf } from './order.js';
import { title } from './words.js';

/** @typedef {import('./app.js').App} App @typedef {import('../../../client/src/agent/frames.js').Conversation} Conversation */

const CLOCKS = /** @type {Record<string, string>} */ ({ accept: 'Accepted', first_reply: 'First reply', next_reply: 'Next reply', resolution: 'Solved' });

/** @param {App} app */
export function detailsView(app) {
  const { conversation } = app;
  if (!conversation || (!app.detailsOpen && !app.narrow())) return null;
  const { metadata, name, known } = conversation;
  const told = Object.entries(metadata).filter(([key]) => key !== 'name' || !name);
  return h(
    'aside',
    { class: 'details', 'aria-label': 'Details' },
    h('header', { class: 'head' }, app.narrow()
        ? h('button', { class: 'quiet square back', key: 'back', 'aria-label': 'Back to the conversation', onclick: () => toggleDetails(app) }, icon('back'))
        : h('button', { class: 'quiet square back', key: 'hide', 'aria-label': 'Hide details', onclick: () => toggleDetails(app) }, icon('close')), h('h2', null, 'Details')),
    h(
      'div',
      { class: 'inside', key: conversation.conversation },
      h(
        'section',
        { class: 'customer', 'aria-label': 'Customer' },
        h('div', { class: 'person' }, h('span', { class: 'face', 'aria-hidden': 'true' }, icon('user')), h('div', null, h('p', { class: 'strong' }, h('bdi', null, nameOf(conversation))), h('p', { class: 'small dim' }, known ? 'Known to your company' : 'Visitor'))),
        facts(told.map(([key, value]) => [title(key), h('bdi', null, value)])),
      ),
      clocksView(conversation),
      labelsView(app, conversation),
      h('section', { 'aria-label': 'Conversation' }, h('h3', null, 'Conversation'), facts(about(app, conversation))),
      h('section', { 'aria-label': 'Before' }, h('button', { class: 'link', onclick: () => app.past.ofCustomer(conversation) }, 'Earlier conversations')),
    ),
  );
}

/** @param {[string, import('../shared/view.js').Kid][]} all */
function facts(all) {
  return all.length > 0 && h('dl', { class: 'facts' }, all.map(([name, value]) => h('div', { key: name }, h('dt', null, name), h('dd', null, value))));
}

/**
 * @param {App} app
 * @param {Conversation} conversation
 * @returns {[string, import('../shared/view.js').Kid][]}
 */
function about(app, { conversation, queue, channel, priority, skills, opened_at, owner, joined, paused_weight_percent }) {
  const me = app.state.agent?.name;
  /** @type {[string, import('../shared/view.js').Kid][]} */
  const out = [
    ['Number', h('span', { class: 'mono' }, conversation)],
    ['Queue', h('bdi', null, title(queue))],
    ['Channel', title(channel)],
    ['Opened', h('time', { datetime: new Date(opened_at).toISOString() }, dateTime(opened_at))],
    ['Owner', h('bdi', null, owner === me ? 'You' : (owner ?? 'Nobody'))],
  ];
  if (joined) out.push(['Joined', h('bdi', null, joined === me ? 'You' : joined)]);
  if (priority !== 0) out.push(['Priority', priority]);
  if (skills.length > 0) out.push(['Skills', skills.map(({ name, level }) => `${title(name)} ${level}`).join(', ')]);
  if (paused_weight_percent !== undefined) out.push(['Paused', `takes ${paused_weight_percent} %`]);
  return out;
}

/** Clocks of service that run. @param {Conversation} conversation */
function clocksView({ clocks = [] }) {
  if (clocks.length === 0) return null;
  const wall = Date.now();
  return h(
    'section',
    { 'aria-label': 'Service levels' },
    h('h3', null, 'Service levels'),
    h(
      'dl',
      { class: 'facts' },
      clocks.map(({ clock, state, due }) => {
        const late = state === 'breached' || (due !== undefined && due < wall);
        const when = due === undefined ? title(state) : due >= wall ? `in ${span(due - wall)}` : `${span(wall - due)} late`;
        return h('div', { key: clock }, h('dt', null, CLOCKS[clock] ?? title(clock)), h('dd', null, h('span', { class: `badge ${late ? 'bad' : ''}` }, late && icon('alert'), when)));
      }),
    ),
  );
}
