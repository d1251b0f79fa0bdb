// One conversation: how it stands, and for every agent why it is, or is not, the next to be asked.

import { openDialog } from '../shared/overlay.js';
import { h } from '../shared/view.js';
import { openDrawer } from './live.js';
import { whyConversation } from './words.js';

/** @typedef {import('./page.js').Board} Board */

/**
 * @param {Board} board
 * @param {string} conversation
 */
export function openTalk(board, conversation) {
  const { shell, deeds } = board;
  openDrawer({
    title: `Conversation ${conversation}`,
    ask: async () => (await shell.client.command('why', { conversation })).why,
    body: (drawer) => {
      const said = whyConversation(drawer.found, board.titled);
      return [
        h('p', { class: 'answer', dir: 'auto' }, said.title),
        h('dl', { class: 'facts' }, said.facts.map(([term, fact]) => h('div', { key: term }, h('dt', null, term), h('dd', { dir: 'auto' }, fact)))),
        h(
          'section',
          null,
          h('h3', null, 'Who could take it'),
          said.candidates.length === 0
            ? h('p', { class: 'dim' }, 'Nobody, as things stand.')
            : [h('p', { class: 'dim small' }, `In this order: ${said.order}.`), h('ol', { class: 'ranked' }, said.candidates.map(({ agent, said: of }) => h('li', { key: agent }, h('bdi', { class: 'strong' }, agent), of && h('span', { class: 'dim', dir: 'auto' }, of))))],
        ),
        said.groups.length > 0 &&
          h(
            'section',
            null,
            h('h3', null, 'Who could not, and the first reason why'),
            h('ul', { class: 'reasons' }, said.groups.map(({ rule, said: of, count, names }) => h('li', { key: rule }, h('span', null, h('span', { class: 'strong mono' }, count), ` ${of}`), names.length > 0 && h('span', { class: 'dim names' }, names.map((name) => h('bdi', { key: name }, name)), count > names.length && h('span', null, '…'))))),
            said.more > 0 && h('p', { class: 'dim small' }, `${said.more} agents of other queues were not looked at.`),
          ),
      ];
    },
    foot: (drawer) => {
      const { state, owner } = /** @type {any} */ (drawer.found ?? {});
      const may = ['waiting', 'offered', 'active'].includes(state);
      return [
        h('button', { key: 'claim', disabled: !may, onclick: () => void deeds.claim(conversation, owner ?? null).then(drawer.again) }, 'Claim…'),
        h('button', { key: 'move', disabled: !may, onclick: () => void deeds.move(conversation, owner ?? null, board.fresh(), drawer.found?.queue).then(drawer.again) }, 'Move…'),
      ];
    },
  });
}

/**
 * Asks for a number, and shows that conversation.
 * @param {Board} board
 */
export function findTalk(board) {
  let text = '';
  let wrong = '';
  const go = (/** @type {import('../shared/overlay.js').Dialog} */ dialog) => {
    const number = /^\s*c?([1-9]\d{0,18})\s*$/i.exec(text)?.[1];
    if (!number) {
      wrong = 'A number, such as c17.';
      return dialog.draw();
    }
    dialog.close();
    openTalk(board, `c${number}`);
  };
  openDialog({
    title: 'Find a conversation',
    body: (dialog) =>
      h(
        'form',
        { class: 'fields', id: 'find-talk', onsubmit: (/** @type {Event} */ event) => (event.preventDefault(), go(dialog)) },
        h('div', null, h('label', { for: 'talk-number' }, 'Its number'), h('input', { id: 'talk-number', autocomplete: 'off', inputmode: 'text', placeholder: 'c17', 'aria-invalid': wrong ? 'true' : undefined, 'aria-describedby': 'talk-fault', oninput: (/** @type {any} */ event) => (text = event.target.value) }), h('p', { class: 'fault', id: 'talk-fault', role: 'alert' }, wrong)),
      ),
    foot: (dialog) => [h('button', { key: 'no', onclick: dialog.close }, 'Cancel'), h('button', { key: 'yes', class: 'primary', onclick: () => go(dialog) }, 'Show why')],
  });
}
