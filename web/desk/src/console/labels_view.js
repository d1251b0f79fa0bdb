// Labels, as fields: each is said to the server as soon as it is changed, and what was refused is told at its field.

import { icon } from '../shared/icons.js';
import { h } from '../shared/view.js';
import { valueOf, withTag } from './labels.js';
import { refusal, title } from './words.js';

/**
 * @typedef {import('./app.js').App} App
 * @typedef {import('./app.js').LabelRules} LabelRules
 * @typedef {import('../../../client/src/agent/frames.js').Conversation} Conversation
 * @typedef {import('../../../client/src/agent/frames.js').Labels} Labels
 */

/**
 * @param {App} app
 * @param {Conversation} conversation
 */
export function labelsView(app, conversation) {
  const { conversation: id, queue, state, owner } = conversation;
  const under = app.labelling.get(id);
  const labels = { ...conversation.labels, ...under, fields: { ...conversation.labels?.fields, ...under?.fields } };
  const rules = app.rules.get(queue);
  if (!rules) return null;
  const may = (state === 'active' || state === 'wrap_up') && owner === app.state.agent?.name;
  const faults = app.faults.get(id) ?? {};
  const say = (/** @type {Labels} */ change) => {
    app.faults.delete(id);
    const now = { ...app.labelling.get(id), ...change, fields: { ...app.labelling.get(id)?.fields, ...change.fields } };
    app.labelling.set(id, now);
    app.changed();
    app.client
      .label(id, change)
      .catch((error) => void app.faults.set(id, { [error.error?.field ?? '']: refusal(error) }))
      .then(() => {
        // Unless more was said meanwhile.
        if (app.labelling.get(id) === now) app.labelling.delete(id);
        app.changed();
      });
  };
  const nothing = rules.dispositions.length === 0 && rules.fields.length === 0;
  return h(
    'section',
    { class: 'labels', 'aria-label': 'Labels' },
    h('h3', null, 'Labels'),
    h('fieldset', { class: 'fields', disabled: !may, 'aria-label': 'Labels' }, nothing ? null : fieldsView(rules, labels, faults, `of_${id}`, say), tagsView(app, id, rules, labels.tags ?? [], faults.tags ?? '', say)),
    faults[''] && h('p', { class: 'fault', role: 'alert' }, faults['']),
  );
}

/**
 * @param {LabelRules} rules
 * @param {Labels} labels
 * @param {Record<string, string>} faults By field, as the server names it.
 * @param {string} prefix Of the elements' ids.
 * @param {(change: Labels) => void} say
 * @param {readonly string[]} [only] These alone.
 */
export function fieldsView(rules, labels, faults, prefix, say, only) {
  const wanted = (/** @type {string} */ field) => !only || only.includes(field);
  return [
    rules.dispositions.length > 0 && wanted('disposition') && dispositionView(rules, labels.disposition ?? '', faults.disposition ?? '', prefix, say),
    rules.fields
      .filter(({ name }) => wanted(`fields.${name}`))
      .map((field) => fieldView(field, labels.fields?.[field.name], faults[`fields.${field.name}`] ?? '', prefix, say)),
  ];
}

/**
 * @param {LabelRules} rules
 * @param {string} now
 * @param {string} fault
 * @param {string} prefix
 * @param {(change: Labels) => void} say
 */
function dispositionView(rules, now, fault, prefix, say) {
  const id = `${prefix}_disposition`;
  // A code that was taken out of the list since is what it is.
  const codes = now && !rules.dispositions.includes(now) ? [...rules.dispositions, now] : rules.dispositions;
  return h(
    'div',
    { key: 'disposition' },
    h('label', { for: id }, 'Disposition', required(rules.disposition_required)),
    h(
      'select',
      { id, ...invalid(id, fault), onchange: (/** @type {any} */ { target }) => say({ disposition: target.value }) },
      h('option', { value: '', selected: now === '' }, '—'),
      codes.map((code) => h('option', { key: code, value: code, selected: code === now }, title(code))),
    ),
    told(id, fault),
  );
}

/**
 * @param {LabelRules['fields'][number]} field
 * @param {string | number | boolean | null | undefined} now
 * @param {string} fault
 * @param {string} prefix
 * @param {(change: Labels) => void} say
 */
function fieldView(field, now, fault, prefix, say) {
  const { name, type, choices = [] } = field;
  const id = `${prefix}_${name}`;
  const change = (/** @type {any} */ { target }) => {
    const value = valueOf(field, target.value);
    target.setCustomValidity(value === undefined ? 'This is no number.' : '');
    if (value === undefined) return void target.reportValidity();
    if (value !== (now ?? null)) say({ fields: { [name]: value } });
  };
  const shown = now === null || now === undefined ? '' : String(now);
  const options = type === 'choice' ? choices.map((choice) => [choice, title(choice)]) : type === 'boolean' ? [['true', 'Yes'], ['false', 'No']] : undefined;
  const kinds = /** @type {Record<string, Record<string, string>>} */ ({ number: { inputmode: 'decimal' }, date: { type: 'date' } });
  return h(
    'div',
    { key: name },
    h('label', { for: id }, title(name), required(field.required)),
    options
      ? h('select', { id, ...invalid(id, fault), onchange: change }, h('option', { value: '', selected: shown === '' }, '—'), options.map(([value, label]) => h('option', { key: value, value, selected: value === shown }, label)))
      : // What is being typed is not taken away by what is drawn meanwhile.
        h('input', { id, dir: 'auto', autocomplete: 'off', ...kinds[type], ...invalid(id, fault), initial: shown, onchange: change }),
    told(id, fault),
  );
}

/** @param {boolean | undefined} is */
const required = (is) => is && h('span', { class: 'required' }, ' needed');

/**
 * @param {string} id
 * @param {string} fault
 */
function invalid(id, fault) {
  return fault ? { 'aria-invalid': 'true', 'aria-describedby': `${id}_fault` } : {};
}

/**
 * @param {string} id
 * @param {string} fault
 */
const told = (id, fault) => fault && h('p', { class: 'fault', id: `${id}_fault` }, fault);

/**
 * @param {App} app
 * @param {string} id
 * @param {LabelRules} rules
 * @param {readonly string[]} tags
 * @param {string} fault
 * @param {(change: Labels) => void} say
 */
function tagsView(app, id, rules, tags, fault, say) {
  const field = `of_${id}_tags`;
  const add = (/** @type {HTMLInputElement} */ input) => {
    const next = withTag(tags, input.value, rules.tags);
    if (next.fault) {
      app.faults.set(id, { tags: next.fault });
      return app.changed();
    }
    input.value = '';
    if (next.tags !== tags) say({ tags: [...next.tags] });
  };
  return h(
    'div',
    { key: 'tags' },
    h('label', { for: field }, 'Tags'),
    tags.length > 0 &&
      h(
        'ul',
        { class: 'tags' },
        tags.map((tag) => h('li', { key: tag, class: 'badge' }, h('bdi', null, tag), h('button', { class: 'quiet', 'aria-label': `Remove the tag ${tag}`, onclick: () => say({ tags: tags.filter((one) => one !== tag) }) }, icon('close')))),
      ),
    h('input', {
      id: field,
      key: field,
      list: rules.tags ? `${field}_list` : undefined,
      dir: 'auto',
      autocomplete: 'off',
      placeholder: 'Add a tag',
      ...invalid(field, fault),
      onkeydown: (/** @type {KeyboardEvent} */ event) => {
        if (event.key !== 'Enter' || event.isComposing) return;
        event.preventDefault();
        add(/** @type {HTMLInputElement} */ (event.target));
      },
      onchange: (/** @type {any} */ { target }) => add(target),
    }),
    rules.tags && h('datalist', { id: `${field}_list` }, rules.tags.filter((tag) => !tags.includes(tag)).map((tag) => h('option', { key: tag, value: tag }))),
    told(field, fault),
  );
}
