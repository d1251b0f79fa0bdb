// A conversation as rows: what was said, what happened in between, and behind it what is not answered yet. Each row says as a string what it
// shows, so that it is made anew only when that changes.

import { shown } from '../../client/src/messenger/state.js';
import { make } from './dom.js';
import { fill } from './words.js';

/**
 * @typedef {import('../../client/src/messenger/state.js').MessengerState} MessengerState
 * @typedef {import('../../client/src/shared/outbox.js').Entry} Entry
 * @typedef {{ key: string, is: string, make: () => HTMLElement }} Row
 *
 * @typedef {object} Telling
 * @property {import('./words.js').Words} words
 * @property {(at: number) => string} time
 * @property {(entry: Entry) => void} again
 * @property {(entry: Entry) => void} discard
 * @property {boolean} [typing] Somebody is writing, so that what there is of the answer is shown.
 * @property {((files: readonly any[]) => HTMLElement) | undefined} [attached] How a message's files are shown, once that has come.
 */

/**
 * @param {MessengerState} state
 * @param {Telling} telling
 * @returns {Row[]}
 */
export function rows(state, telling) {
  const { words, time, attached, typing } = telling;
  const { draft } = state;
  const mark = (/** @type {unknown} */ files) => (files && attached ? '|files' : '');
  const { messages, pending } = shown(state);
  const read = state.conversation?.read_by_agent ?? 0;
  const last = messages.findLast(({ author }) => author === 'customer')?.number;
  /** @type {Row[]} */
  const rows = [];
  const first = messages[0]?.number ?? 0;
  const happened = (/** @type {number} */ from, /** @type {number} */ to) => {
    for (const one of state.happened) {
      if (one.after < from || one.after >= to || one.after < first - 1) continue;
      const said = one.type in words ? words[/** @type {keyof typeof words} */ (one.type)] : '';
      const text = fill(said, one.agent?.title ?? one.queue ?? '');
      if (said) rows.push({ key: `event ${one.event_id}`, is: text, make: () => make('div', { class: 'event' }, text) });
    }
  };
  let before = '';
  let reached = 0;
  for (const { number, author, agent, text, at, files } of messages) {
    happened(reached, number);
    reached = number;
    const mine = author === 'customer';
    const title = author === 'agent' ? (agent?.title ?? '') : '';
    const by = title !== before ? title : '';
    const under = mine && number === last ? `${time(at)} · ${number <= read ? words.read : words.sent}` : time(at);
    before = title;
    const kind = `message ${mine ? 'mine' : author}`;
    rows.push({ key: `${number}`, is: `${by}|${under}|${text}${mark(files)}`, make: () => bubble(kind, by, text, [under], files && attached?.(files)) });
  }
  happened(reached, Infinity);
  if (typing && draft) {
    const title = state.conversation?.agent?.title ?? '';
    const by = title !== before ? title : '';
    // It is not read out letter by letter: that somebody writes is, and then the message.
    rows.push({ key: 'draft', is: `${by}|${draft}`, make: () => hidden(bubble('message agent draft', by, draft, ['…'])) });
  }
  for (const entry of pending) {
    const { id, command, state: is, error } = entry;
    const text = String(command.text);
    const files = /** @type {any[] | undefined} */ (command.files);
    const kind = `message mine pending ${is}`;
    const under = is === 'refused' ? why(error, telling) : is === 'sent' ? words.sending : words.kept;
    const choices = () => [
      make('button', { type: 'button', onclick: () => telling.again(entry) }, words.again),
      make('button', { type: 'button', onclick: () => telling.discard(entry) }, words.drop),
    ];
    rows.push({ key: id, is: `${kind}|${under}${mark(files)}`, make: () => bubble(kind, '', text, is === 'refused' ? [under, ...choices()] : [under], files && attached?.(files)) });
  }
  return rows;
}

/** @param {HTMLElement} row */
function hidden(row) {
  row.setAttribute('aria-hidden', 'true');
  return row;
}

/** @param {string} kind @param {string} by @param {string} text @param {(Node | string)[]} under @param {Node} [files] */
function bubble(kind, by, text, under, files) {
  const made = make('div', { class: kind });
  if (by) made.append(make('div', { class: 'author' }, make('bdi', {}, by)));
  // Each in its own direction, and shut in it.
  made.append(make('div', { class: 'text', dir: 'auto' }, text), files ?? '', make('div', { class: 'under' }, ...under));
  return made;
}

/** @param {Entry['error']} error @param {Telling} telling */
function why(error, { words, time }) {
  const { code = '', opens_at } = /** @type {{ code?: string, opens_at?: number | null }} */ (error ?? {});
  if (code === 'queue_closed' && opens_at) return fill(words.closed_until, time(opens_at));
  if (code === 'queue_closed' || code === 'queue_draining') return words.nobody_there;
  return ['nobody_there', 'queue_full', 'too_large'].includes(code) ? words[/** @type {'too_large'} */ (code)] : words.refused;
}
