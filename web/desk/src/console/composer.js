// Where one writes: a reply, or a note that its customer never sees. What is written stays, over reloads and lost connections, until it is sent.

import { icon } from '../shared/icons.js';
import { keysView } from '../shared/help.js';
import { h } from '../shared/view.js';
import { attachButton, chipsView, pasted, takesFiles } from './attach_view.js';
import { nameOf } from './order.js';
import { filled, suggested } from './store.js';

/**
 * @typedef {import('./app.js').App} App
 * @typedef {import('../../../client/src/agent/frames.js').Conversation} Conversation
 */

/** Which reply of those that are suggested is marked. */
let marked = 0;
/** The suggestions were put away, until another letter is written. */
let putAway = '';

/** What is written now, without a look at the storage. @type {{ key: string, text: string }} */
const written = { key: '', text: '' };

export const composerField = () => /** @type {HTMLTextAreaElement | null} */ (document.getElementById('composer'));

/**
 * @param {App} app
 * @param {Conversation} conversation
 */
export function composerView(app, conversation) {
  const id = conversation.conversation;
  const over = conversation.state === 'wrap_up';
  const note = over || app.noting.has(id);
  const key = keyOf(id, note);
  if (written.key !== key) {
    written.key = key;
    written.text = app.drafts.read(id, note);
  }
  const found = suggestedNow(app, note);
  const takes = !note && takesFiles(app, conversation);
  const empty = written.text.trim() === '' && (note || app.attachments.of(id).length === 0);
  return h(
    'form',
    { class: `composer ${note ? 'note' : ''}`, onsubmit: (/** @type {Event} */ event) => (event.preventDefault(), submit(app, id, note)) },
    found && suggestions(app, conversation, found),
    h(
      'div',
      { class: 'kinds', role: 'group', 'aria-label': 'What to write' },
      h('button', { type: 'button', class: 'kind', 'aria-pressed': String(!note), disabled: over, onclick: () => noting(app, id, false) }, 'Reply'),
      h('button', { type: 'button', class: 'kind', 'aria-pressed': String(note), onclick: () => noting(app, id, true) }, icon('note'), 'Note'),
      note && h('span', { class: 'hint' }, over ? 'The talk is over; notes can still be written.' : 'Only colleagues see this.'),
    ),
    !note && chipsView(app, id),
    h('textarea', {
      key,
      id: 'composer',
      rows: 1,
      dir: 'auto',
      enterkeyhint: 'send',
      'aria-label': note ? 'Note' : `Reply to ${nameOf(conversation)}`,
      placeholder: note ? 'Write a note' : 'Write a reply, or / for a saved one',
      ...(found && found.length > 0 && { 'aria-haspopup': 'listbox', 'aria-controls': 'canned', 'aria-autocomplete': 'list', 'aria-activedescendant': `canned_${marked}` }),
      ref: (/** @type {HTMLTextAreaElement} */ field) => (field.value = written.text),
      oninput: (/** @type {any} */ { target }) => typed(app, id, note, target.value),
      onkeydown: (/** @type {KeyboardEvent} */ event) => pressed(app, conversation, note, event),
      onpaste: (/** @type {ClipboardEvent} */ event) => takes && pasted(app, id, event),
    }),
    h(
      'div',
      { class: 'send' },
      takes && attachButton(app, id),
      h('span', { class: 'hint keys-hint' }, keysView('Enter'), ' sends, ', keysView('Shift+Enter'), ' new line'),
      h('button', { type: 'submit', class: 'primary', disabled: empty }, note ? 'Add note' : 'Send', icon('send')),
    ),
  );
}

/**
 * The saved replies that fit what is written.
 * @param {App} app
 * @param {boolean} note
 */
const suggestedNow = (app, note) => (note || putAway === written.text ? undefined : suggested(app.canned.replies, written.text));

/**
 * @param {App} app
 * @param {string} id
 * @param {boolean} note
 * @param {string} text
 */
function typed(app, id, note, text) {
  const before = written.text;
  written.text = text;
  app.drafts.write(id, note, text);
  if (!note && text) app.client.typing(id);
  // Letters in the middle of it change nothing that is drawn.
  if ((before.trim() === '') !== (text.trim() === '') || text.startsWith('/') || before.startsWith('/')) {
    marked = 0;
    putAway = '';
    app.changed();
  }
}

/**
 * @param {App} app
 * @param {Conversation} conversation
 * @param {boolean} note
 * @param {KeyboardEvent} event
 */
function pressed(app, conversation, note, event) {
  // A word that is being composed is not finished by Enter.
  if (event.isComposing) return;
  const id = conversation.conversation;
  // As it is now, not as it was drawn: two keys may come between two drawings, and the second Enter sends what the first has taken.
  const found = suggestedNow(app, note);
  if (found && found.length > 0) {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step !== 0) marked = (marked + step + found.length) % found.length;
    else if ((event.key === 'Enter' && !event.shiftKey) || event.key === 'Tab') take(app, conversation, found[marked]);
    else if (event.key === 'Escape') putAway = written.text;
    else return;
    event.preventDefault();
    app.changed();
    return;
  }
  if (event.key === 'Enter' && !event.shiftKey && !event.altKey) {
    event.preventDefault();
    submit(app, id, note);
  } else if (event.key === 'Escape') {
    event.preventDefault();
    /** @type {HTMLElement | null} */ (document.querySelector(`[data-conversation="${id}"]`))?.focus();
  }
}

/**
 * @param {App} app
 * @param {string} id
 * @param {boolean} note
 */
function submit(app, id, note) {
  const field = composerField();
  const text = field?.value.trim() ?? '';
  if (!field) return;
  if (!note && app.attachments.of(id).length > 0) return app.attachments.whenUp(id, (files) => sent(app, id, files));
  if (!text) return;
  app.send(id, note, text);
  cleared(app, id, note);
  field.focus();
}

/**
 * With its files, once they are up; meanwhile another conversation may be looked at.
 * @param {App} app
 * @param {string} id
 * @param {import('../../../client/src/shared/files.js').Attached[]} files
 */
function sent(app, id, files) {
  const text = app.drafts.read(id, false).trim();
  if (!text && files.length === 0) return;
  app.send(id, false, text, files.length > 0 ? files : undefined);
  cleared(app, id, false);
}

/** @param {App} app @param {string} id @param {boolean} note */
function cleared(app, id, note) {
  if (written.key === keyOf(id, note)) {
    written.text = '';
    const field = composerField();
    if (field) field.value = '';
    app.threadView.follows = true;
  }
  app.changed();
}

/** @param {string} id @param {boolean} note */
const keyOf = (id, note) => `${id}${note ? ' note' : ''}`;

/**
 * @param {App} app
 * @param {string} id
 * @param {boolean} note
 */
export function noting(app, id, note) {
  if (note) app.noting.add(id);
  else app.noting.delete(id);
  app.focus = 'composer';
  app.shell.draw();
}

/**
 * @param {App} app
 * @param {Conversation} conversation
 * @param {import('./store.js').Canned | undefined} reply
 */
function take(app, conversation, reply) {
  const field = composerField();
  if (!field || !reply) return;
  const agent = app.state.agent?.title ?? '';
  field.value = filled(reply.text, { name: conversation.name ?? '', agent });
  putAway = field.value;
  typed(app, conversation.conversation, false, field.value);
  putAway = field.value;
  field.focus();
}

/**
 * @param {App} app
 * @param {Conversation} conversation
 * @param {import('./store.js').Canned[]} found
 */
function suggestions(app, conversation, found) {
  if (found.length === 0) {
    const none = app.canned.replies.length === 0;
    return h('div', { class: 'canned none' }, none ? 'You have no saved replies yet. ' : 'No saved reply is called so. ', h('button', { type: 'button', class: 'link', onclick: () => app.openCanned() }, none ? 'Write one' : 'See all'));
  }
  return h(
    'ul',
    { class: 'canned', id: 'canned', role: 'listbox', 'aria-label': 'Saved replies' },
    found.map((reply, place) =>
      h(
        'li',
        { key: reply.name, id: `canned_${place}`, role: 'option', 'aria-selected': String(place === marked), onpointerdown: (/** @type {Event} */ event) => (event.preventDefault(), take(app, conversation, reply), app.changed()) },
        h('span', { class: 'name' }, `/${reply.name}`),
        h('span', { class: 'one-line dim', dir: 'auto' }, reply.text.slice(0, 120)),
      ),
    ),
  );
}
