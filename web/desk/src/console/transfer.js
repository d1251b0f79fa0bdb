// Giving a conversation to a colleague or to a queue: one field that finds both, all by keyboard.

import { icon } from '../shared/icons.js';
import { openDialog, toast } from '../shared/overlay.js';
import { h } from '../shared/view.js';
import { found } from './directory.js';
import { nameOf } from './order.js';
import { refusal, title, words } from './words.js';

/** @typedef {import('./app.js').App} App @typedef {import('../../../client/src/agent/frames.js').Conversation} Conversation */

/**
 * @param {App} app
 * @param {Conversation} conversation
 */
export function openTransfer(app, conversation) {
  const { conversation: id } = conversation;
  const { directory } = app;
  let wanted = '';
  let marked = 0;
  let warm = false;
  let fault = '';
  let sending = false;
  const me = app.state.agent?.name;
  const all = () => found(directory.agents, directory.queues, wanted, me);
  const go = async (/** @type {ReturnType<typeof all>[number] | undefined} */ one) => {
    if (!one || sending) return;
    sending = true;
    dialog.draw();
    try {
      await app.client.transfer(id, one.kind === 'queue' ? { queue: one.queue } : { agent: one.agent, warm });
      dialog.close();
      toast(one.kind === 'queue' ? `${nameOf(conversation)} waits in ${one.title || title(one.queue)} now.` : warm ? `${one.title} is asked to join.` : `Offered to ${one.title}. It is yours until it is taken.`);
    } catch (error) {
      fault = refusal(error);
    }
    sending = false;
    dialog.draw();
  };
  const pressed = (/** @type {KeyboardEvent} */ event) => {
    const count = all().length;
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step !== 0 && count > 0) marked = (marked + step + count) % count;
    else if (event.key === 'Enter' && !event.isComposing) void go(all()[marked]);
    else return;
    event.preventDefault();
    dialog.draw();
    document.getElementById(`to_${marked}`)?.scrollIntoView({ block: 'nearest' });
  };
  const dialog = openDialog({
    title: `Transfer ${nameOf(conversation)}`,
    kind: 'transfer',
    body: () => {
      const rows = all();
      return [
        h('input', {
          id: 'transfer_to',
          type: 'search',
          role: 'combobox',
          'aria-label': 'To whom',
          'aria-expanded': 'true',
          'aria-controls': 'transfer_list',
          'aria-activedescendant': rows.length > 0 ? `to_${marked}` : undefined,
          autocomplete: 'off',
          placeholder: 'A colleague, or a queue',
          value: wanted,
          'data-first': true,
          oninput: (/** @type {any} */ { target }) => ((wanted = target.value), (marked = 0), (fault = ''), dialog.draw()),
          onkeydown: pressed,
        }),
        h(
          'ul',
          { class: 'choices', id: 'transfer_list', role: 'listbox', 'aria-label': 'Colleagues and queues' },
          rows.map((one, place) => choice(one, place, place === marked, () => ((marked = place), void go(one)))),
        ),
        rows.length === 0 && h('p', { class: 'dim' }, directory.failed ? 'Colleagues and queues cannot be listed now.' : directory.askedAt < 0 ? 'One moment…' : 'Nobody is called so.'),
        h('label', { class: 'check' }, h('input', { type: 'checkbox', checked: warm, onchange: (/** @type {any} */ { target }) => ((warm = target.checked), dialog.draw()) }), 'Ask a colleague to join first, and hand over later'),
        h('p', { class: 'fault', role: 'alert' }, fault),
      ];
    },
  });
  void directory.load().then(dialog.draw);
}

/**
 * @param {ReturnType<typeof found>[number]} one
 * @param {number} place
 * @param {boolean} marked
 * @param {() => void} go
 */
function choice(one, place, marked, go) {
  const option = { id: `to_${place}`, role: 'option', 'aria-selected': String(marked), onclick: go };
  if (one.kind === 'queue') {
    return h('li', { key: `queue ${one.queue}`, ...option }, icon('queue'), h('bdi', { class: 'label one-line' }, one.title || title(one.queue)), h('span', { class: 'dim small' }, 'Queue'));
  }
  const there = one.available ? 'Available' : one.connection === 'online' ? 'Not available' : title(one.connection);
  return h('li', { key: `agent ${one.agent}`, ...option }, h('span', { class: `dot ${one.available ? 'good' : 'hollow'}` }), h('bdi', { class: 'label one-line' }, one.title || words(one.agent)), h('span', { class: 'dim small' }, there));
}
