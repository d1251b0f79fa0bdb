// One agent: how it stands, what it holds, and why nothing more is offered to it.

import { channelIcon, icon } from '../shared/icons.js';
import { span } from '../shared/time.js';
import { h } from '../shared/view.js';
import { heldView, loadView } from './agents.js';
import { openDrawer } from './live.js';
import { standing, words } from './model.js';
import { openTalk } from './talk.js';
import { whyAgent } from './words.js';

/** @typedef {import('./page.js').Board} Board @typedef {import('./model.js').AgentRow} AgentRow */

/**
 * @param {Board} board
 * @param {string} agent
 */
export function openAgent(board, agent) {
  const { shell, deeds, fresh } = board;
  /** What was last known of it: it may have left the page that is shown. @type {AgentRow | undefined} */
  let last;
  const row = () => (last = fresh().agents.find((one) => one.agent === agent) ?? last);
  const title = row()?.title ?? agent;
  openDrawer({
    title,
    ask: async () => {
      const [{ why }, held] = await Promise.all([shell.client.command('why', { agent }), shell.client.command('held', { agent })]);
      return { why, held };
    },
    body: (drawer) => {
      const { why, held } = /** @type {{ why: any, held: any }} */ (drawer.found);
      const now = row();
      const said = whyAgent(why, title, board.titled);
      return [
        now && standingView(now),
        h('section', null, h('h3', null, 'What comes next'), h('p', { class: 'answer' }, said.title), whyGroups(said.groups)),
        h(
          'section',
          null,
          h('h3', null, `On offer and held (${held.offers.length + held.conversations.length})`),
          held.offers.length + held.conversations.length === 0
            ? h('p', { class: 'dim' }, 'Nothing.')
            : h('ul', { class: 'cards' }, [...held.offers.map((/** @type {any} */ offer) => talkView(board, offer.conversation, 'On offer', drawer.again)), ...held.conversations.map((/** @type {any} */ talk) => talkView(board, talk, words(talk.state), drawer.again))]),
          held.cursor && h('p', { class: 'dim small' }, 'There are more.'),
        ),
      ];
    },
    foot: (drawer) => {
      const now = row();
      if (!now) return null;
      return [
        h('button', { key: 'drain', onclick: () => void deeds.drainAgent(now, !now.draining).then(drawer.draw) }, now.draining ? 'Offer new conversations again' : 'Drain…'),
        h('button', { key: 'status', disabled: now.connection === 'offline', onclick: () => void deeds.forceStatus(now).then(drawer.again) }, 'Set the status…'),
      ];
    },
  });
}

/** @param {AgentRow} row */
function standingView(row) {
  const { word, dot } = standing(row);
  return h(
    'dl',
    { class: 'facts' },
    h('div', { key: 'status' }, h('dt', null, 'Status'), h('dd', null, h('span', { class: 'stands' }, h('span', { class: `dot ${dot}` }), h('bdi', null, word)), ` for ${span(Math.max(0, Date.now() - row.since))}`)),
    row.connection !== 'online' && row.connection !== 'offline' && h('div', { key: 'chosen' }, h('dt', null, 'Chosen'), h('dd', null, h('bdi', null, words(row.status)))),
    h('div', { key: 'load' }, h('dt', null, 'Load'), h('dd', null, loadView(row.load))),
    h('div', { key: 'held' }, h('dt', null, 'Holds'), h('dd', null, heldView(row))),
    row.missed ? h('div', { key: 'missed' }, h('dt', null, 'Missed in a row'), h('dd', null, row.missed)) : null,
    row.next_status && h('div', { key: 'next' }, h('dt', null, 'After its work'), h('dd', null, h('bdi', null, words(row.next_status)))),
  );
}

/** @param {{ first: string, what: string, said: string }[]} groups */
function whyGroups(groups) {
  if (groups.length === 0) return null;
  return h('ul', { class: 'reasons' }, groups.slice(0, 20).map(({ first, what, said }) => h('li', { key: first }, h('span', { class: 'strong', dir: 'auto' }, what), h('span', { class: 'dim', dir: 'auto' }, `${said}.`))));
}

/**
 * @param {Board} board
 * @param {any} talk
 * @param {string} state
 * @param {() => void} again
 */
function talkView(board, talk, state, again) {
  const { deeds } = board;
  const id = talk.conversation;
  const active = talk.state === 'active';
  return h(
    'li',
    { key: `${state} ${id}`, class: 'talk' },
    h('p', { class: 'who' }, icon(channelIcon(talk.channel)), h('bdi', { class: 'one-line strong' }, talk.name ?? 'Someone'), h('span', { class: 'dim mono' }, id)),
    h('p', { class: 'line small' }, h('span', { class: 'badge' }, state), h('bdi', { class: 'dim' }, board.titled(talk.queue)), h('span', { class: 'dim mono' }, `began ${span(Math.max(0, Date.now() - talk.opened_at))} ago`), talk.paused_weight_percent !== undefined && h('span', { class: 'badge' }, 'Paused')),
    h('p', { class: 'buttons' }, [
      h('button', { key: 'why', 'aria-label': `Why is ${id} where it is?`, onclick: () => openTalk(board, id) }, 'Why?'),
      active && h('button', { key: 'claim', 'aria-label': `Claim ${id}`, onclick: () => void deeds.claim(id, talk.owner).then(again) }, 'Claim…'),
      active && h('button', { key: 'move', 'aria-label': `Move ${id}`, onclick: () => void deeds.move(id, talk.owner, board.fresh(), talk.queue).then(again) }, 'Move…'),
    ]),
  );
}
