// What is past: looking for conversations, by words or by their customer, and reading them again.

import { channelIcon, icon } from '../shared/icons.js';
import { openDialog, toast } from '../shared/overlay.js';
import { clockTime, dateTime, dayNumber, dayOf } from '../shared/time.js';
import { h } from '../shared/view.js';
import { attachedView } from './attached_view.js';
import { bubbleView } from './linked.js';
import { nameOf } from './order.js';
import { title } from './words.js';

/** @typedef {import('./app.js').App} App */

const LIMIT = 30;
const MESSAGES = 100;
/** One search asks for so many pages at most, as each may be empty and go on. */
const PAGES_MAX = 6;

export class Past {
  /** @param {App} app */
  constructor(app) {
    this.app = app;
    this.text = '';
    /** @type {{ customer: string, name: string } | undefined} */
    this.customer = undefined;
    /** @type {any[]} As of docs/wire.md, *Admin API*. */
    this.rows = [];
    /** @type {string | undefined} */
    this.next = undefined;
    this.fault = '';
    this.searching = false;
    this.done = false;
    this.count = 0;
  }

  /** @param {import('../../../client/src/agent/frames.js').Conversation} conversation */
  ofCustomer(conversation) {
    this.customer = { customer: conversation.customer, name: nameOf(conversation) };
    this.text = '';
    this.app.tab = 'past';
    if (this.app.narrow()) this.app.column = 'list';
    void this.search();
  }

  /** @param {boolean} [more] Goes on where it stopped. */
  async search(more = false) {
    const count = ++this.count;
    if (!more) [this.rows, this.next] = [[], undefined];
    [this.searching, this.fault] = [true, ''];
    this.app.changed();
    try {
      for (let page = 0; page < PAGES_MAX; page++) {
        const query = new URLSearchParams({ limit: String(LIMIT) });
        if (this.text.trim()) query.set('text', this.text.trim());
        if (this.customer) query.set('customer', this.customer.customer);
        if (this.next) query.set('cursor', this.next);
        const answer = await this.app.shell.api(`/conversations?${query}`);
        const told = await answer.json();
        if (count !== this.count) return;
        if (!answer.ok) throw told;
        this.rows = [...this.rows, ...told.conversations];
        this.next = told.next;
        this.app.changed();
        if (!this.next || told.conversations.length > 0) break;
      }
    } catch (error) {
      if (count !== this.count) return;
      const { code } = /** @type {any} */ (error ?? {});
      this.fault = code === 'forbidden' ? 'You may not look for past conversations.' : code === 'unauthorized' ? 'Your sign-in has ended.' : 'The search did not work. Try it again in a moment.';
    }
    [this.searching, this.done] = [false, true];
    this.app.changed();
  }

  /** @param {any} found */
  async read(found) {
    const id = found.conversation;
    if (this.app.state.conversations[id]) return this.app.open(id);
    /** @type {any[]} */
    let messages = [];
    /** @type {string | undefined} Pages go forward, from the first message on. */
    let next;
    let asking = false;
    const ask = async (/** @type {import('../shared/overlay.js').Dialog | undefined} */ dialog) => {
      if (asking) return;
      asking = true;
      dialog?.draw();
      const query = new URLSearchParams({ limit: String(MESSAGES), ...(next && { cursor: next }) });
      const answer = await this.app.shell.api(`/conversations/${id}/messages?${query}`).catch(() => undefined);
      asking = false;
      if (!answer?.ok) return toast('These messages cannot be read now.', { bad: true });
      const told = await answer.json();
      messages = [...messages, ...told.messages];
      next = told.next;
      dialog?.draw();
    };
    await ask(undefined);
    openDialog({
      title: `${nameOf(found)} · ${dateTime(found.opened_at)}`,
      kind: 'wide past',
      body: (dialog) => [
        h('ol', { key: 'said', class: 'block', tabindex: 0, 'aria-label': 'Messages', 'data-first': true }, messages.map((message, place) => saidView(this.app, message, messages[place - 1], found))),
        next && h('button', { key: 'more', disabled: asking, onclick: () => void ask(dialog) }, asking ? 'One moment…' : 'Later messages'),
      ],
    });
  }
}

/**
 * @param {App} app
 * @param {any} message
 * @param {any} before
 * @param {any} found
 */
function saidView(app, { number, author, text, at, files }, before, found) {
  const who = author.agent ?? (author.customer ? nameOf(found) : 'The workspace');
  const kind = author.agent ? 'mine' : author.customer ? 'theirs' : 'system';
  const newDay = !before || dayNumber(before.at) !== dayNumber(at);
  return h(
    'li',
    { key: number, class: `said first last ${kind}` },
    newDay && h('p', { class: 'event day' }, h('span', null, dayOf(at, Date.now()))),
    h('p', { class: 'author' }, h('bdi', null, who), h('time', { datetime: new Date(at).toISOString() }, clockTime(at))),
    bubbleView(text ?? '', files),
    attachedView(app, found.conversation, files),
  );
}

/** @param {App} app */
export function pastView(app) {
  const { past } = app;
  const go = (/** @type {Event} */ event) => {
    event.preventDefault();
    void past.search();
  };
  return [
    h(
      'form',
      { class: 'narrow', role: 'search', onsubmit: go },
      icon('search'),
      h('input', { id: 'past_text', type: 'search', 'aria-label': 'Words in past conversations', placeholder: 'Words that were said', maxlength: 200, value: past.text, oninput: (/** @type {any} */ { target }) => (past.text = target.value) }),
      h('button', { type: 'submit' }, 'Find'),
    ),
    past.customer && h('p', { class: 'pad' }, h('span', { class: 'badge' }, 'of ', h('bdi', null, past.customer.name), h('button', { class: 'quiet', 'aria-label': 'Of anybody', onclick: () => ((past.customer = undefined), app.changed()) }, icon('close')))),
    past.fault && h('p', { class: 'fault pad', role: 'alert' }, past.fault),
    h('ul', { class: 'part', 'aria-label': 'Found' }, past.rows.map((row) => foundView(app, row))),
    past.searching ? h('p', { class: 'pad dim', role: 'status' }, 'Looking…') : past.next ? h('p', { class: 'pad' }, h('button', { onclick: () => void past.search(true) }, 'Look further')) : past.done && past.rows.length === 0 && !past.fault && h('div', { class: 'empty' }, h('p', null, 'Nothing was found.')),
  ];
}

/**
 * @param {App} app
 * @param {any} row
 */
function foundView(app, row) {
  const { disposition } = row.labels ?? {};
  return h(
    'li',
    { key: row.conversation },
    h(
      'button',
      { class: 'row', onclick: () => void app.past.read(row) },
      h('span', { class: 'avatar', 'aria-hidden': 'true' }, icon(channelIcon(row.channel))),
      h(
        'span',
        { class: 'lines' },
        h('span', { class: 'line' }, h('bdi', { class: 'name one-line' }, row.erased ? 'Erased customer' : nameOf(row)), h('span', { class: 'age' }, dayOf(row.opened_at, Date.now()))),
        h('span', { class: 'line second' }, h('span', { class: 'one-line' }, [title(row.queue), title(row.state), disposition && title(disposition)].filter(Boolean).join(' · '))),
      ),
    ),
  );
}
