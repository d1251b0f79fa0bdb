// One queue: who waits in it, in the order in which they are taken, and what may be done about each.

import { channelIcon, icon } from '../shared/icons.js';
import { countdown } from '../shared/time.js';
import { h } from '../shared/view.js';
import { openDrawer } from './live.js';
import { badges } from './queues.js';
import { openTalk } from './talk.js';
import { whyConversation } from './words.js';

/** @typedef {import('./page.js').Board} Board */

const MOST = 50;

/**
 * @param {Board} board
 * @param {string} queue
 */
export function openQueue(board, queue) {
  const { shell, deeds, fresh } = board;
  const row = () => fresh().queues.find((one) => one.queue === queue);
  const title = board.titled(queue);
  openDrawer({
    title,
    ask: async () => {
      const { waiting, cursor } = await shell.client.command('waiting', { queue, limit: MOST });
      const [first] = waiting;
      // It may be somebody's by now.
      const why = first && (await shell.client.command('why', { conversation: first.conversation }).catch(() => undefined))?.why;
      return { waiting, cursor, why };
    },
    body: (drawer) => {
      const { waiting, cursor, why } = /** @type {{ waiting: any[], cursor?: string, why?: any }} */ (drawer.found);
      const now = row();
      return [
        now && h('p', { class: 'line' }, h('span', null, standingSaid(now)), badges(now)),
        waiting.length === 0
          ? h('div', { class: 'empty' }, icon('inbox'), h('h2', null, 'Nobody waits'), h('p', null, now && now.offered > 0 ? `${now.offered} on offer` : 'Everyone has been taken.'))
          : [why && h('section', null, h('h3', null, 'Why nobody has the first yet'), h('p', { class: 'answer', dir: 'auto' }, whyConversation(why, board.titled).title)), h('ol', { class: 'cards', 'aria-label': 'Who waits' }, waiting.map((/** @type {any} */ talk, /** @type {number} */ place) => waitView(board, talk, place, drawer.again)))],
        cursor && h('p', { class: 'dim small' }, `These are the first ${MOST}.`),
      ];
    },
    foot: (drawer) => {
      const now = row();
      return now && h('button', { onclick: () => void (now.draining ? deeds.undrainQueue(now) : deeds.drainQueue(now, fresh().queues)).then(drawer.draw) }, now.draining ? 'Take new conversations again' : 'Drain…');
    },
  });
}

/** @param {import('./model.js').QueueRow} row */
function standingSaid({ waiting, offered, agents_available: free, agents_there: there }) {
  const waits = waiting === 0 ? 'Nobody waits' : waiting === 1 ? '1 waits' : `${waiting} wait`;
  return `${waits}, ${offered} on offer. ${free} of ${there} agents there have room.`;
}

/**
 * @param {Board} board
 * @param {any} talk
 * @param {number} place
 * @param {() => void} again
 */
function waitView(board, talk, place, again) {
  const { deeds } = board;
  const id = talk.conversation;
  const waited = countdown(Math.max(0, Date.now() - talk.waiting_since));
  return h(
    'li',
    { key: id, class: 'talk' },
    h('p', { class: 'who' }, h('span', { class: 'place mono' }, place + 1), icon(channelIcon(talk.channel)), h('bdi', { class: 'one-line strong' }, talk.name ?? 'Someone'), h('span', { class: 'dim mono' }, id)),
    h('p', { class: 'line small' }, h('span', { class: 'mono' }, `Waits ${waited}`), talk.priority !== 0 && h('span', { class: 'badge' }, `Priority ${talk.priority}`), talk.skills.map((/** @type {any} */ skill) => h('span', { key: skill.name, class: 'badge' }, h('bdi', null, `${skill.name} ${skill.level}`)))),
    h('p', { class: 'buttons' }, [
      h('button', { key: 'why', 'aria-label': `Why does ${id} wait?`, onclick: () => openTalk(board, id) }, 'Why?'),
      h('button', { key: 'claim', 'aria-label': `Claim ${id}`, onclick: () => void deeds.claim(id, null).then(again) }, 'Claim…'),
      h('button', { key: 'move', 'aria-label': `Move ${id}`, onclick: () => void deeds.move(id, null, board.fresh(), talk.queue).then(again) }, 'Move…'),
    ]),
  );
}
