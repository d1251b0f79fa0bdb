// What a conversation may be labelled with, by its queue's rules (docs/wire.md, *Labels*). Pure.

/** @typedef {import('./app.js').LabelRules} LabelRules @typedef {import('../../../client/src/agent/frames.js').Labels} Labels */

export const TAGS_MAX = 20;

/**
 * What has to be said before its owner may finish, as the server names it: `disposition`, `fields.order`.
 * @param {LabelRules} rules
 * @param {Labels | undefined} labels
 * @returns {string[]}
 */
export function missingLabels(rules, labels) {
  const out = [];
  if (rules.disposition_required && rules.dispositions.length > 0 && !labels?.disposition) out.push('disposition');
  for (const { name, required } of rules.fields) {
    const value = labels?.fields?.[name];
    if (required && (value === undefined || value === null || value === '')) out.push(`fields.${name}`);
  }
  return out;
}

/**
 * What somebody typed, as a value of the field's type; nothing: take it away.
 * @param {{ type: string }} field
 * @param {string} typed
 * @returns {string | number | boolean | null | undefined} `undefined`: that is none.
 */
export function valueOf({ type }, typed) {
  const text = typed.trim();
  if (text === '') return null;
  if (type === 'boolean') return text === 'true';
  if (type !== 'number') return text;
  const number = Number(text.replace(',', '.'));
  return Number.isFinite(number) ? number : undefined;
}

/**
 * The tags with one more; the same where it may not be.
 * @param {readonly string[]} tags
 * @param {string} typed
 * @param {readonly string[] | null} allowed `null`: any.
 * @returns {{ tags: readonly string[], fault: string }}
 */
export function withTag(tags, typed, allowed) {
  const tag = typed.trim();
  if (!tag || tags.includes(tag)) return { tags, fault: '' };
  if (allowed && !allowed.includes(tag)) return { tags, fault: `There is no tag “${tag}”.` };
  if (new TextEncoder().encode(tag).length > 64) return { tags, fault: 'A tag is at most 64 bytes long.' };
  if (tags.length >= TAGS_MAX) return { tags, fault: `There are ${TAGS_MAX} tags already.` };
  return { tags: [...tags, tag], fault: '' };
}
