// What may be done with a conversation beside writing: closing it, wrapping it up, giving it away, leaving it.

import { icon } from '../shared/icons.js';
import { confirmed, openDialog, toast } from '../shared/overlay.js';
import { countdown } from '../shared/time.js';
import { h } from '../shared/view.js';
import { fieldsView } from './labels_view.js';
import { missingLabels } from './labels.js';
import { nameOf } from './order.js';
import { openTransfer } from './transfer.js';
import { labelName, refusal } from './words.js';

/** @typedef {import('./app.js').App} App @typedef {import('../../../client/src/agent/frames.js').Conversation} Conversation */

/**
 * @param {App} app
 * @param {Conversation} conversation
 */
export function threadDeeds(app, conversation) {
  const { conversation: id, owner, joined, transfer_to, state } = conversation;
  const mine = owner === app.state.agent?.name;
  const active = state === 'active';
  const ending = app.busy.has(`end ${id}`);
  return h(
    'div',
    { class: 'deeds' },
    !mine && joined && h('button', { onclick: () => leave(app, conversation) }, icon('leave'), h('span', { class: 'label' }, 'Leave')),
    mine && joined && h('button', { onclick: () => void app.deed(`move ${id}`, () => app.client.handOver(id)) }, icon('transfer'), h('span', { class: 'label' }, 'Hand over')),
    mine && active && !joined && !transfer_to && h('button', { id: 'transfer', onclick: () => openTransfer(app, conversation) }, icon('transfer'), h('span', { class: 'label' }, 'Transfer')),
    mine && active && (joined || transfer_to) && h('button', { onclick: () => void app.deed(`move ${id}`, () => app.client.cancelTransfer(id)) }, h('span', { class: 'label' }, joined ? 'Let go' : 'Take back')),
    mine && active && h('button', { id: 'close', class: 'primary', disabled: ending, onclick: () => void finish(app, conversation) }, icon('done'), h('span', { class: 'label' }, 'Close')),
    h(
      'button',
      { class: 'quiet square', 'aria-label': 'Details', 'aria-pressed': String(app.narrow() ? app.column === 'details' : app.detailsOpen), onclick: () => toggleDetails(app) },
      icon('details'),
    ),
  );
}

/** @param {App} app */
export function toggleDetails(app) {
  if (app.narrow()) app.column = app.column === 'details' ? 'thread' : 'details';
  else app.detailsOpen = !app.detailsOpen;
  app.changed();
}

/**
 * @param {App} app
 * @param {Conversation} conversation
 */
async function leave(app, { conversation: id }) {
  await app.deed(`end ${id}`, () => app.client.leave(id));
}

/**
 * Closes, or ends the wrap-up. What must be said first is asked for, and said along with it.
 * @param {App} app
 * @param {Conversation} conversation
 */
export async function finish(app, conversation) {
  const { conversation: id, state } = conversation;
  const wrapping = state === 'wrap_up';
  if (!wrapping && app.drafts.read(id, false).trim() && !(await confirmed('Close without sending?', 'There is a reply that you have not sent.', 'Close'))) return;
  await end(app, id, wrapping, (error) => {
    if (error.code !== 'label_missing') return toast(refusal(error), { bad: true });
    askLabels(app, id, wrapping);
  });
}

/**
 * @param {App} app
 * @param {string} id
 * @param {boolean} wrapping
 * @param {(error: any) => void} refused
 * @param {import('../../../client/src/agent/frames.js').Labels} [labels]
 */
async function end(app, id, wrapping, refused, labels) {
  const name = `end ${id}`;
  if (app.busy.has(name)) return;
  app.busy.add(name);
  app.changed();
  try {
    await (wrapping ? app.client.wrapUpDone(id, labels) : app.client.close(id, labels));
    app.drafts.write(id, false, '');
  } catch (error) {
    refused(error);
  } finally {
    app.busy.delete(name);
    app.changed();
  }
}

/**
 * @param {App} app
 * @param {string} id
 * @param {boolean} wrapping
 */
function askLabels(app, id, wrapping) {
  const conversation = app.state.conversations[id];
  const rules = conversation && app.rules.get(conversation.queue);
  if (!conversation || !rules) return toast('A label is missing.', { bad: true });
  /** @type {import('../../../client/src/agent/frames.js').Labels} */
  let labels = structuredClone(conversation.labels ?? {});
  /** @type {Record<string, string>} */
  let faults = {};
  const only = missingLabels(rules, labels);
  const go = async (/** @type {import('../shared/overlay.js').Dialog} */ dialog) => {
    faults = Object.fromEntries(missingLabels(rules, labels).map((field) => [field, `${labelName(field)} is missing.`]));
    if (Object.keys(faults).length === 0) {
      let failed = false;
      const { disposition, fields } = labels;
      const said = { ...(disposition && { disposition }), ...(fields && { fields: Object.fromEntries(Object.entries(fields).filter(([name]) => only.includes(`fields.${name}`))) }) };
      await end(app, id, wrapping, (error) => ((failed = true), (faults = { [error.error?.field ?? '']: refusal(error) })), said);
      if (!failed) return dialog.close();
    }
    dialog.draw();
    /** @type {HTMLElement | null} */ (document.querySelector('dialog [aria-invalid=true]'))?.focus();
  };
  openDialog({
    title: `Before you finish with ${nameOf(conversation)}`,
    body: (dialog) =>
      h(
        'form',
        { class: 'fields', id: 'finish', onsubmit: (/** @type {Event} */ event) => (event.preventDefault(), void go(dialog)) },
        fieldsView(rules, labels, faults, 'finish', (change) => ((labels = { ...labels, ...change, fields: { ...labels.fields, ...change.fields } }), (faults = {}), dialog.draw()), only),
        faults[''] && h('p', { class: 'fault', role: 'alert' }, faults['']),
      ),
    foot: (dialog) => [h('button', { onclick: () => dialog.close() }, 'Not yet'), h('button', { class: 'primary', type: 'submit', form: 'finish' }, wrapping ? 'Done' : 'Close conversation')],
  });
}

/**
 * @param {App} app
 * @param {Conversation} conversation
 */
export function wrapUpView(app, conversation) {
  const { conversation: id, wrap_up, wrap_up_ends_at } = conversation;
  const mine = conversation.owner === app.state.agent?.name;
  const left = wrap_up_ends_at === undefined ? undefined : Math.max(0, wrap_up_ends_at - app.client.now());
  const more = wrap_up?.ends === 'timed' && (wrap_up?.extensions_left ?? 0) > 0;
  return h(
    'section',
    { class: 'wrap-up', 'aria-label': 'Wrap-up' },
    icon('clock'),
    h('p', null, h('strong', null, 'Wrap-up'), left === undefined ? h('span', null, ' until you are done') : h('span', { class: 'mono', role: 'timer' }, ` ${countdown(left)} left`)),
    mine && more && h('button', { id: 'extend', onclick: () => void app.deed(`extend ${id}`, () => app.client.extendWrapUp(id)) }, 'More time'),
    mine && h('button', { id: 'wrap_up_done', class: 'primary', disabled: app.busy.has(`end ${id}`), onclick: () => void finish(app, conversation) }, icon('done'), 'Done'),
  );
}

/**
 * The deeds once more, for the keyboard.
 * @param {App} app
 */
export function closeChosen(app) {
  const { conversation } = app;
  if (conversation?.owner === app.state.agent?.name && conversation) void finish(app, conversation);
}
