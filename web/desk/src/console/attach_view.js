// Files that are added to a reply: by the button, a key, dropped on the thread, or pasted. What is added is on its way at once, and stays with its
// conversation; sending waits for it.

import { Attachments, kindsOf, mayBeTriedAgain, pastedFiles, sized } from '../../../client/src/pages/attachments.js';
import { FILES_MAX } from '../../../client/src/shared/files.js';
import { icon } from '../shared/icons.js';
import { announce, toast } from '../shared/overlay.js';
import { h } from '../shared/view.js';
import { refusal } from './words.js';

/**
 * @typedef {import('./app.js').App} App
 * @typedef {import('../../../client/src/pages/attachments.js').Item} Item
 * @typedef {import('../../../client/src/agent/frames.js').Conversation} Conversation
 */

/** @param {App} app */
export function attachmentsOf(app) {
  /** @type {Set<string>} */
  const said = new Set();
  /** @type {Attachments} */
  const made = new Attachments({
    upload: (conversation, file, options) => app.client.upload(conversation, file, options),
    allowed: () => app.state.settings?.files,
    changed: () => {
      // Said once, however often it is drawn.
      for (const one of made.items) {
        if (one.state !== 'refused') said.delete(one.id);
        else if (!said.has(one.id)) said.add(one.id), announce(`${one.name}: ${why(app, one)}`);
      }
      app.changed();
    },
  });
  return made;
}

/** Whether a reply of this conversation may have files now. @param {App} app @param {Conversation | undefined} conversation */
export function takesFiles(app, conversation) {
  return conversation?.state === 'active' && app.state.settings?.files !== undefined && !app.noting.has(conversation.conversation);
}

/** @param {App} app @param {string} id */
export function attachButton(app, id) {
  return [
    h('button', { key: 'attach', id: 'attach', type: 'button', class: 'quiet square', 'aria-label': 'Attach files', title: 'Attach files', onclick: pick }, icon('clip')),
    h('input', { key: 'pick', id: 'pick', type: 'file', multiple: true, hidden: true, tabindex: -1, 'aria-label': 'Files', accept: app.state.settings?.files?.types.join(), onchange: (/** @type {any} */ { target }) => (add(app, id, [...target.files]), (target.value = '')) }),
  ];
}

export const pick = () => document.getElementById('pick')?.click();

/** @param {App} app @param {string} id @param {readonly File[]} files */
export function add(app, id, files) {
  if (files.length === 0) return;
  if (app.attachments.add(id, files) > 0) toast(`${FILES_MAX} files at most in one message.`, { bad: true });
  app.focus = 'composer';
  app.changed();
}

/** @param {App} app @param {string} id @param {ClipboardEvent} event */
export function pasted(app, id, event) {
  const files = pastedFiles(event.clipboardData);
  if (files.length === 0) return;
  event.preventDefault();
  add(app, id, files);
}

/**
 * For the element that files may be dropped on. Where none are taken, what is dropped does not take the place of the page either.
 * @param {App} app
 * @param {Conversation} conversation
 */
export function dropping(app, conversation) {
  const takes = (/** @type {DragEvent} */ event) => {
    if (!event.dataTransfer?.types.includes('Files')) return false;
    event.preventDefault();
    const takes = takesFiles(app, conversation);
    if (!takes) event.dataTransfer.dropEffect = 'none';
    return takes;
  };
  const over = (/** @type {boolean} */ is) => {
    if (is === app.dropping) return;
    app.dropping = is;
    app.changed();
  };
  return {
    ondragover: (/** @type {DragEvent} */ event) => over(takes(event)),
    ondragleave: (/** @type {any} */ { currentTarget, relatedTarget }) => currentTarget.contains(relatedTarget) || over(false),
    ondrop: (/** @type {DragEvent} */ event) => {
      if (takes(event)) add(app, conversation.conversation, [...(event.dataTransfer?.files ?? [])]);
      over(false);
    },
  };
}

/** @param {App} app @param {string} id */
export function chipsView(app, id) {
  const all = app.attachments.of(id);
  if (all.length === 0) return null;
  return h(
    'div',
    { key: 'chips' },
    h('ul', { class: 'chips', 'aria-label': 'Files of this reply' }, all.map((one) => chipView(app, one))),
    app.attachments.isWaiting(id) && h('p', { class: 'hint pad-chips', role: 'status' }, 'Sent as soon as the files are up.'),
  );
}

/** @param {App} app @param {Item} one */
function chipView(app, one) {
  const { id, name, file, state, sent, address } = one;
  const size = sized(file.size);
  const how = state === 'refused' ? why(app, one) : state === 'waits' ? `${size} · ${app.state.link.phase === 'live' ? 'Is tried again' : 'Waits for the connection'}` : size;
  const gone = () => {
    app.attachments.remove(id);
    app.focus = 'composer';
  };
  return h(
    'li',
    { key: id, class: `chip ${state}` },
    address ? h('img', { class: 'thumb', src: address, alt: '', onerror: (/** @type {any} */ { target }) => target.classList.add('lost') }) : h('span', { class: 'thumb' }, icon('paper')),
    h(
      'span',
      { class: 'about' },
      h('span', { class: 'one-line', title: name }, h('bdi', null, name)),
      h('span', { class: 'how' }, how),
      (state === 'going' || state === 'waits') && h('progress', { max: 1, value: file.size > 0 ? sent / file.size : 0, 'aria-label': name }),
    ),
    mayBeTriedAgain(one) && h('button', { type: 'button', class: 'link', onclick: () => app.attachments.again(id) }, 'Try again'),
    h('button', { type: 'button', class: 'quiet square', 'aria-label': `Remove ${name}`, onclick: gone }, icon('close')),
  );
}

/** @param {App} app @param {Item} one */
function why(app, { error }) {
  const allowed = app.state.settings?.files;
  if (error?.code === 'too_large' || error?.code === 'http_413') return `Too large: ${sized(error.max_bytes ?? allowed?.max_bytes ?? 0)} at most`;
  if (error?.field === 'type') return `Not of a kind that is taken (${kindsOf(error.allowed ?? allowed?.types ?? [])})`;
  return refusal(error);
}
