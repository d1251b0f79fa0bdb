// The elements that are always there: a button and a panel, with their roles and names. What is in them is filled in elsewhere.

import { icon, make } from './dom.js';

const TALK = 'M4 5h16v11H10l-5 4v-4H4z';
const CLOSE = 'M6 6l12 12M18 6L6 18';
const SEND = 'M5 12h14M13 6l6 6-6 6';

/**
 * @typedef {object} Deeds What a person does here.
 * @property {() => void} toggle
 * @property {() => void} close
 * @property {() => void} end
 * @property {() => void} stay The end was not meant.
 * @property {() => void} earlier
 * @property {() => void} typed
 * @property {(event: KeyboardEvent) => void} pressed
 * @property {(event: Event) => void} submit
 * @property {() => void} begin
 *
 * @typedef {ReturnType<typeof frame>} Frame
 */

/**
 * @param {import('./words.js').Words} words
 * @param {{ title: string, dir: string, language: string, start: boolean }} about
 * @param {Deeds} does
 */
export function frame(words, { title, dir, language, start }, does) {
  const badge = make('span', { class: 'badge', hidden: true });
  const launcher = make('button', { class: 'launcher', type: 'button', 'aria-controls': 'panel', onclick: does.toggle }, icon(TALK), badge);
  const fact = make('div', { class: 'fact', role: 'status' });
  const end = make('button', { class: 'end', type: 'button', hidden: true, onclick: does.end, onblur: does.stay }, words.end);
  const shut = make('button', { type: 'button', 'aria-label': words.close, onclick: does.close }, icon(CLOSE));
  const header = make('header', {}, make('div', { class: 'who' }, make('h2', {}, title), fact), end, shut);
  const banner = make('div', { class: 'banner', role: 'status', hidden: true });
  const hello = make('div', { class: 'hello', dir: 'auto' });
  const earlier = make('div', { class: 'event', hidden: true }, make('button', { type: 'button', onclick: does.earlier }, words.earlier));
  const list = make('div', { class: 'list' });
  // It scrolls, so that the keyboard must reach it.
  const log = make('div', { class: 'log', role: 'log', 'aria-live': 'polite', 'aria-label': title, tabindex: '0' }, hello, earlier, list);
  const typing = make('div', { class: 'typing', role: 'status', hidden: true });
  const fields = { name: field('name', words.name), email: field('email', words.email) };
  const input = make('textarea', {
    rows: '1',
    'aria-label': words.write,
    placeholder: words.write,
    dir: 'auto',
    enterkeyhint: 'send',
    oninput: does.typed,
    onkeydown: does.pressed,
  });
  const form = make(
    'form',
    { onsubmit: does.submit },
    fields.name,
    fields.email,
    make('div', { class: 'row' }, input, make('button', { class: 'send', 'aria-label': words.send }, icon(SEND))),
  );
  const again = make('button', { class: 'new', type: 'button', hidden: true, onclick: does.begin }, words.fresh);
  const panel = make('section', { id: 'panel', class: 'panel', role: 'dialog', 'aria-label': title, hidden: true }, header, banner, log, typing, form, again);
  const root = make('div', { class: start ? 'root start' : 'root', dir, lang: language }, panel, launcher);
  root.addEventListener('keydown', (event) => event.key === 'Escape' && !event.isComposing && !panel.hidden && does.close());
  return { root, launcher, badge, panel, fact, end, banner, hello, earlier, list, log, typing, fields, input, form, again };
}

/** @param {string} name @param {string} label */
export function field(name, label) {
  const input = make('input', { name, type: name === 'email' ? name : 'text', autocomplete: name, required: true, maxlength: name === 'email' ? '120' : '60', dir: 'auto' });
  return make('label', { class: 'who' }, label, input);
}

/** @param {HTMLLabelElement} field */
export function valueOf(field) {
  return field.querySelector('input')?.value.trim() ?? '';
}

/** Shown when there is something to say; the same again is not said again. @param {HTMLElement} where @param {string} text */
export function say(where, text) {
  if (where.textContent !== text) where.textContent = text;
  where.hidden = text === '';
}
