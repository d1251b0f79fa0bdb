// What is not there from the beginning, a module of its own that is fetched when there is a conversation: what it was like, in one touch, with
// a word to it if there is one; the conversation as a text to keep; who writes, said later; and files.

import { saveFile } from '../../client/src/pages/pictures.js';
import { reachOf } from '../../client/src/messenger/reach.js';
import { attach } from './attach.js';
import { attached } from './attached.js';
import { FILES_CSS } from './files_style.js';

const STAR = 'M12 3.5l2.6 5.4 5.9.8-4.3 4.1 1 5.9-5.2-2.8-5.2 2.8 1-5.9L3.5 9.7l5.9-.8z';
const GOOD = 'M8 14c1 2 2.4 3 4 3s3-1 4-3M9 9.5h.01M15 9.5h.01M12 3a9 9 0 100 18 9 9 0 000-18';
const BAD = 'M8 17c1-2 2.4-3 4-3s3 1 4 3M9 9.5h.01M15 9.5h.01M12 3a9 9 0 100 18 9 9 0 000-18';
const WHO = 'M12 12a4 4 0 100-8 4 4 0 000 8zM4.5 20c1-3.6 4-5 7.5-5s6.5 1.4 7.5 5';

const CSS = `
.card{text-align:center;display:flex;flex-direction:column;gap:8px;padding:12px 12px 0;border-block-start:1px solid var(--edge)}
.card form{border:0;padding:0}
.steps{display:flex;justify-content:center;gap:4px}
.steps button{padding:8px;border-radius:10px;color:var(--dim)}
.steps .on{color:var(--accent)}
.dark .steps .on{color:#9ec1ff}
.five .on svg{fill:currentColor}
.card .send{padding-inline:14px}
.thanks{color:var(--dim)}
.keep{align-self:center;font-size:13px;text-decoration:underline;padding:8px 4px 0}
#contact .new{margin:0}
`;

/** In English; each other language has them with its other words. */
export const MORE = {
  contact: 'Your name and e-mail',
  reached: 'We answer to {0}.',
  save: 'Save',
  transcript: 'Save this conversation',
  rate: 'How was it?',
  score: '{0} of 5',
  good: 'Good',
  bad: 'Bad',
  comment: 'Anything to add?',
  thanks: 'Thank you!',
  attach: 'Attach files',
  remove: 'Remove {0}',
  waits: 'Waits for the connection',
  unsent: 'Sent as soon as the files are up',
  file_large: 'Too large: {0} at most',
  file_kind: 'Not of a kind that is taken ({0})',
  file_scan: 'Refused by the check for harmful files',
  files_max: '{0} files at most in one message',
  open: 'Open {0}',
  download: 'Download {0}',
  lost: 'Cannot be shown',
};

/** @typedef {import('./words.js').Words & typeof MORE} AllWords */

/**
 * @typedef {import('./widget.js').Widget} Widget
 * @typedef {ReturnType<typeof import('./standing.js').standing>} Standing
 * @typedef {import('../../client/src/messenger/state.js').MessengerState} MessengerState
 *
 * @typedef {object} Kit What the script has already.
 * @property {typeof import('./dom.js').make} make
 * @property {typeof import('./dom.js').icon} icon
 * @property {typeof import('./frame.js').say} say
 * @property {typeof import('./frame.js').field} field
 * @property {typeof import('./frame.js').valueOf} valueOf
 * @property {typeof import('./words.js').fill} fill
 * @property {typeof import('./dom.js').reconcile} reconcile
 */

/**
 * @param {Widget} widget
 * @param {Kit} kit
 * @returns {(now: Standing, seen: MessengerState) => string} Shows how it stands; what is to be said of it.
 */
export function later(widget, kit) {
  const { make, icon, say, field, valueOf, fill } = kit;
  const { client, frame, rating, known } = widget;
  const words = { ...MORE, ...widget.spoken.words };
  const style = new CSSStyleSheet();
  style.replaceSync(CSS + FILES_CSS);
  /** @type {ShadowRoot} */ (frame.root.getRootNode()).adoptedStyleSheets.push(style);

  // Who writes.
  let tells = false;
  const own = { name: field('name', words.name), email: field('email', words.reach) };
  const inputs = { name: own.name.querySelector('input'), email: own.email.querySelector('input') };
  inputs.name?.removeAttribute('required');
  const contact = make('form', { id: 'contact', hidden: true, onsubmit: saved }, own.name, own.email, make('button', { class: 'new' }, words.save));
  const who = make('button', { type: 'button', hidden: true, 'aria-label': words.contact, 'aria-controls': 'contact', onclick: asked }, icon(WHO));
  frame.end.after(who);
  frame.form.before(contact);

  function asked() {
    tells = !tells;
    for (const name of /** @type {const} */ (['name', 'email'])) {
      const input = inputs[name];
      if (tells && input) input.value = widget.said[name];
    }
    widget.render();
    if (tells) inputs.name?.focus();
  }

  /** @param {Event} event */
  function saved(event) {
    event.preventDefault();
    const [name, email] = [valueOf(own.name), valueOf(own.email)];
    widget.said = { name, email };
    void client.command('contact', { ...(name && { name }), email });
    widget.reached = client.state.conversation?.conversation ?? '';
    tells = false;
    widget.remember();
    widget.render();
    frame.input.focus();
  }

  // What it was like.
  let score = 0;
  const { scale } = rating;
  const steps = scale === 'two' ? [1, 5] : scale === 'five' ? [1, 2, 3, 4, 5] : [];
  const named = (/** @type {number} */ step) => (scale === 'two' ? (step === 1 ? words.bad : words.good) : words.score.replace('{0}', String(step)));
  const drawn = (/** @type {number} */ step) => (scale === 'two' ? (step === 1 ? BAD : GOOD) : STAR);
  const buttons = steps.map((step) => make('button', { type: 'button', 'aria-label': named(step), onclick: () => chosen(step) }, icon(drawn(step))));
  const comment = make('textarea', { rows: '1', maxlength: '500', 'aria-label': words.comment, placeholder: words.comment, dir: 'auto' });
  const more = make('form', { hidden: true, onsubmit: added }, make('div', { class: 'row' }, comment, make('button', { class: 'send' }, words.send)));
  const thanks = make('div', { class: 'thanks', role: 'status', hidden: true });
  const card = make('div', { class: 'card', role: 'group', 'aria-label': words.rate, hidden: true }, words.rate, make('div', { class: `steps ${scale}` }, ...buttons), more, thanks);
  const keep = make('button', { class: 'keep', type: 'button', hidden: true, onclick: () => void save() }, words.transcript);
  frame.again.before(card, keep);

  /** @param {number} step */
  function chosen(step) {
    score = step;
    more.hidden = false;
    say(thanks, '');
    void client.command('rate', { score: step });
    comment.focus();
  }

  /** @param {Event} event */
  function added(event) {
    event.preventDefault();
    const text = comment.value.trim();
    if (!text) return comment.focus();
    comment.value = '';
    more.hidden = true;
    say(thanks, words.thanks);
    void client.command('rate', { score, comment: text });
    frame.again.focus();
  }

  /** What was said, as a file. */
  async function save() {
    const id = client.state.conversation?.conversation;
    const { answer } = await client.command('transcript', { time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone });
    saveFile(new Blob([answer.text], { type: 'text/plain;charset=utf-8' }), `conversation-${id}.txt`);
  }

  // Files: shown wherever there are some, added where the workspace takes them.
  const reach = reachOf(client);
  widget.attached = attached(widget, kit, words, reach);
  if (widget.files) attach(widget, kit, words, reach);

  return ({ isOver, goesOn, isAlone }, { conversation, messages, link }) => {
    const waits = conversation?.state === 'waiting';
    const isReached = waits && widget.reached === conversation.conversation && widget.said.email !== '';
    const isUnreached = isAlone && !isReached && !widget.said.email;
    who.hidden = known || !goesOn;
    if (!goesOn) tells = false;
    const hadFocus = contact.matches(':focus-within');
    contact.hidden = known || !goesOn || !(tells || isUnreached);
    if (hadFocus && isOver) frame.again.focus();
    own.name.hidden = !tells;
    who.setAttribute('aria-expanded', String(!contact.hidden));

    const ended = conversation?.ended_at ?? 0;
    const inTime = ended === 0 || ended + rating.within_ms > Date.now();
    const talked = messages.some(({ author }) => author === 'agent');
    const stands = isOver && link.phase !== 'stopped';
    const asks = stands && talked && inTime && steps.length > 0;
    if (!asks) {
      more.hidden = true;
      say(thanks, '');
    }
    card.hidden = !asks;
    keep.hidden = !stands || messages.length === 0;
    const rated = conversation?.rating?.score;
    steps.forEach((step, at) => {
      const on = rated !== undefined && (scale === 'two' ? step === rated : step <= rated);
      buttons[at]?.classList.toggle('on', on);
      buttons[at]?.setAttribute('aria-pressed', String(step === rated));
    });
    return isReached ? fill(words.reached, widget.said.email) : '';
  };
}
