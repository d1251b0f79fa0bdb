// Addresses in what people wrote, as links that say nothing of where they were clicked. All else stays text.

import { h } from '../shared/view.js';

/** No quotes, brackets, spaces or signs that turn the direction of writing, which could make one address look like another. */
const ADDRESS = /\bhttps?:\/\/[^\s<>"'`{}|\\^\u200b-\u200f\u202a-\u202e\u2066-\u2069]{1,2000}/g;

/**
 * Where the addresses are. Pure.
 * @param {string} text
 * @returns {{ text: string, address: boolean }[]}
 */
export function parts(text) {
  const out = [];
  let at = 0;
  for (const found of text.matchAll(ADDRESS)) {
    // What ends a sentence ends no address.
    const address = found[0].replace(/[.,;:!?)\]]+$/, '');
    if (!URL.canParse(address)) continue;
    if (found.index > at) out.push({ text: text.slice(at, found.index), address: false });
    out.push({ text: address, address: true });
    at = found.index + address.length;
  }
  if (at < text.length) out.push({ text: text.slice(at), address: false });
  return out;
}

/** @param {string} text */
export function linked(text) {
  if (!text.includes('://')) return text;
  return parts(text).map(({ text: part, address }, key) => (address ? h('a', { key, href: part, target: '_blank', rel: 'noopener noreferrer nofollow', dir: 'ltr' }, part) : h('span', { key }, part)));
}

/**
 * What was said; nothing, where it was files alone.
 * @param {string} text
 * @param {readonly unknown[] | undefined} files
 * @param {string} [title]
 */
export function bubbleView(text, files, title) {
  if (text === '' && files?.length) return null;
  return h('div', { class: 'bubble', dir: 'auto', title }, text === '' ? h('i', { class: 'dim' }, 'erased') : linked(text));
}
