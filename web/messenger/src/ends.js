// What is shown when a conversation is over: what it was like, in one touch, with a word to it if there is one; the conversation as a text to
// keep; and a new one.

import { icon, make } from './dom.js';
import { say } from './frame.js';

const STAR = 'M12 3.5l2.6 5.4 5.9.8-4.3 4.1 1 5.9-5.2-2.8-5.2 2.8 1-5.9L3.5 9.7l5.9-.8z';
const GOOD = 'M8 14c1 2 2.4 3 4 3s3-1 4-3M9 9.5h.01M15 9.5h.01M12 3a9 9 0 100 18 9 9 0 000-18';
const BAD = 'M8 17c1-2 2.4-3 4-3s3 1 4 3M9 9.5h.01M15 9.5h.01M12 3a9 9 0 100 18 9 9 0 000-18';

/**
 * @typedef {'none' | 'two' | 'five'} Scale
 * @typedef {ReturnType<typeof ends>} Ends
 */

/**
 * @param {import('./words.js').Words} words
 * @param {Scale} scale
 * @param {{ rate: (score: number, comment?: string) => void, save: () => void, begin: () => void }} does
 */
export function ends(words, scale, { rate, save, begin }) {
  let score = 0;
  const steps = scale === 'two' ? [1, 5] : scale === 'five' ? [1, 2, 3, 4, 5] : [];
  const named = (/** @type {number} */ step) => (scale === 'two' ? (step === 1 ? words.bad : words.good) : words.score.replace('{0}', String(step)));
  const drawn = (/** @type {number} */ step) => (scale === 'two' ? (step === 1 ? BAD : GOOD) : STAR);
  const buttons = steps.map((step) => make('button', { type: 'button', 'aria-label': named(step), onclick: () => chosen(step) }, icon(drawn(step))));
  const comment = make('textarea', { rows: '1', maxlength: '500', 'aria-label': words.comment, placeholder: words.comment, dir: 'auto' });
  const more = make('form', { class: 'row', hidden: true, onsubmit: (event) => (event.preventDefault(), added()) }, comment, make('button', { class: 'send' }, words.send));
  const thanks = make('div', { class: 'thanks', role: 'status', hidden: true });
  const card = make('div', { class: 'card', role: 'group', 'aria-label': words.rate }, make('div', {}, words.rate), make('div', { class: `steps ${scale}` }, ...buttons), more, thanks);
  const again = make('button', { class: 'new', type: 'button', onclick: begin }, words.fresh);
  const keep = make('button', { class: 'keep', type: 'button', onclick: save }, words.transcript);
  const root = make('div', { class: 'ends', hidden: true }, card, keep, again);

  /** @param {number} step */
  function chosen(step) {
    score = step;
    more.hidden = false;
    say(thanks, '');
    rate(step);
    comment.focus();
  }

  function added() {
    const text = comment.value.trim();
    if (!text) return comment.focus();
    comment.value = '';
    more.hidden = true;
    say(thanks, words.thanks);
    rate(score, text);
    again.focus();
  }

  /** @param {{ isOver: boolean, asks: boolean, rated: number | undefined, kept: boolean }} now */
  function show({ isOver, asks, rated, kept }) {
    if (!isOver || !asks) {
      more.hidden = true;
      say(thanks, '');
      comment.value = '';
    }
    root.hidden = !isOver;
    card.hidden = !asks || steps.length === 0;
    keep.hidden = !kept;
    steps.forEach((step, at) => {
      const on = rated !== undefined && (scale === 'two' ? step === rated : step <= rated);
      buttons[at]?.classList.toggle('on', on);
      buttons[at]?.setAttribute('aria-pressed', String(step === rated));
    });
  }
  return { root, again, show };
}
