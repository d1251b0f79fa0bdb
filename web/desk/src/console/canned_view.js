// Saved replies: writing them, and taking them to another browser. They are kept in this browser, for this agent.

import { icon } from '../shared/icons.js';
import { openDialog, toast } from '../shared/overlay.js';
import { h } from '../shared/view.js';
import { cannedFault, cannedOf } from './store.js';

/** @param {import('./app.js').App} app */
export function openCanned(app) {
  const { canned } = app;
  /** @type {import('./store.js').Canned & { was?: string } | undefined} */
  let edited;
  let fault = '';
  const save = (/** @type {import('../shared/overlay.js').Dialog} */ dialog) => {
    if (!edited) return;
    const { name, text, was } = edited;
    fault = cannedFault({ name, text }) || (name !== was && canned.replies.some((one) => one.name === name) ? 'There is one of this name already.' : '');
    if (!fault) {
      if (!canned.save([...canned.replies.filter((one) => one.name !== was), { name, text }])) toast('This browser keeps nothing: the reply is there until the page is closed.', { bad: true });
      edited = undefined;
      app.changed();
    }
    dialog.draw();
  };
  const take = async (/** @type {File | undefined} */ file, /** @type {import('../shared/overlay.js').Dialog} */ dialog) => {
    if (!file) return;
    let found;
    try {
      if (file.size > 5_000_000) throw new Error('too large');
      found = cannedOf(JSON.parse(await file.text()));
    } catch {
      return toast('This file has no saved replies in it.', { bad: true });
    }
    const names = new Set(found.replies.map(({ name }) => name));
    canned.save([...canned.replies.filter(({ name }) => !names.has(name)), ...found.replies]);
    toast(`${found.replies.length} replies were taken over${found.dropped > 0 ? `, ${found.dropped} left out` : ''}.`);
    dialog.draw();
  };
  openDialog({
    title: 'Saved replies',
    kind: 'wide',
    body: (dialog) => (edited ? form(edited, fault, () => save(dialog)) : list(app, (one) => ((edited = one), (fault = ''), dialog.draw(), document.getElementById('canned_name')?.focus()), dialog)),
    foot: (dialog) =>
      edited
        ? [h('button', { key: 'back', onclick: () => ((edited = undefined), dialog.draw()) }, 'Back'), h('button', { key: 'save', class: 'primary', type: 'submit', form: 'canned_form' }, 'Save')]
        : [
            h('button', { key: 'out', disabled: canned.replies.length === 0, onclick: () => download(canned.replies) }, icon('download'), 'Export'),
            h('label', { key: 'in', class: 'button', for: 'canned_file' }, icon('upload'), 'Import'),
            h('input', { key: 'file', id: 'canned_file', type: 'file', accept: '.json,application/json', class: 'unseen', onchange: (/** @type {any} */ { target }) => void take(target.files[0], dialog).then(() => (target.value = '')) }),
            h('button', { key: 'new', class: 'primary', 'data-first': true, onclick: () => ((edited = { name: '', text: '' }), dialog.draw(), document.getElementById('canned_name')?.focus()) }, 'New reply'),
          ],
  });
}

/**
 * @param {import('./app.js').App} app
 * @param {(one: import('./store.js').Canned & { was: string }) => void} edit
 * @param {import('../shared/overlay.js').Dialog} dialog
 */
function list({ canned }, edit, dialog) {
  if (canned.replies.length === 0) return h('p', { class: 'dim', key: 'none' }, 'A saved reply is there with / and its name at the beginning of what you write. ', h('code', null, '{name}'), ' becomes the customer’s name, ', h('code', null, '{agent}'), ' yours.');
  return h(
    'ul',
    { class: 'replies', key: 'list' },
    canned.replies.map((one) =>
      h(
        'li',
        { key: one.name },
        h('span', { class: 'name' }, `/${one.name}`),
        h('span', { class: 'one-line dim', dir: 'auto' }, one.text),
        h('button', { 'aria-label': `Edit ${one.name}`, onclick: () => edit({ ...one, was: one.name }) }, 'Edit'),
        h('button', { class: 'quiet square', 'aria-label': `Remove ${one.name}`, onclick: () => remove(canned, one, dialog) }, icon('close')),
      ),
    ),
  );
}

/**
 * @param {import('./store.js').CannedStore} canned
 * @param {import('./store.js').Canned} one
 * @param {import('../shared/overlay.js').Dialog} dialog
 */
function remove(canned, one, dialog) {
  const before = canned.replies;
  canned.save(before.filter(({ name }) => name !== one.name));
  dialog.draw();
  toast(`/${one.name} is gone.`, { deed: { label: 'Undo', run: () => (canned.save(before), dialog.draw()) } });
}

/**
 * @param {import('./store.js').Canned} edited
 * @param {string} fault
 * @param {() => void} save
 */
function form(edited, fault, save) {
  return h(
    'form',
    { id: 'canned_form', key: 'form', class: 'fields', onsubmit: (/** @type {Event} */ event) => (event.preventDefault(), save()) },
    h('div', { key: 'name' }, h('label', { for: 'canned_name' }, 'Name, without the /'), h('input', { id: 'canned_name', autocomplete: 'off', maxlength: 40, value: edited.name, 'aria-describedby': 'canned_fault', oninput: (/** @type {any} */ { target }) => (edited.name = target.value) })),
    h('div', { key: 'text' }, h('label', { for: 'canned_text' }, 'Text'), h('textarea', { id: 'canned_text', rows: 6, dir: 'auto', value: edited.text, 'aria-describedby': 'canned_fault', oninput: (/** @type {any} */ { target }) => (edited.text = target.value) })),
    h('p', { key: 'fault', class: 'fault', role: 'alert', id: 'canned_fault' }, fault),
  );
}

/** @param {readonly import('./store.js').Canned[]} replies */
function download(replies) {
  const address = URL.createObjectURL(new Blob([JSON.stringify({ replies }, null, 2)], { type: 'application/json' }));
  const link = document.createElement('a');
  link.href = address;
  link.download = 'offhook-replies.json';
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 1_000);
}
