// The middle: one conversation. What was said stays where it is while more comes; at the end it follows, and further up it does not.

import { shown } from '../../../client/src/agent/state.js';
import { channelIcon, icon } from '../shared/icons.js';
import { clockTime, dateTime, dayOf } from '../shared/time.js';
import { h, memo } from '../shared/view.js';
import { dropping } from './attach_view.js';
import { attachedView, filesOf } from './attached_view.js';
import { composerView } from './composer.js';
import { wrapUpView, threadDeeds } from './deeds.js';
import { bubbleView } from './linked.js';
import { nameOf } from './order.js';
import { blocks, rowsOf, sameBlock } from './rows.js';
import { refusal, title } from './words.js';

/**
 * @typedef {import('./app.js').App} App
 * @typedef {import('./rows.js').ThreadRow} ThreadRow
 * @typedef {import('./rows.js').Block} Block
 * @typedef {import('../../../client/src/agent/frames.js').Conversation} Conversation
 */

/** So many messages are shown at first, so many more as one reads on, and never more than that: the rest is put away at the other end. */
const FIRST = 100;
const MORE = 100;
const MOST = 400;
/** So near either end of what is shown, more of it is; so near the very end, it follows. */
const NEAR = 900;
const NEAR_END = 60;

/** What became of the last that was said, where a channel of the workspace's own carries it. @type {Record<string, string>} */
const DELIVERY = { pending: 'Not carried yet', sent: 'Sent', failed: 'Not delivered', delivered: 'Delivered', read: 'Read' };

export class ThreadView {
  /** @param {App} app */
  constructor(app) {
    this.app = app;
    /** @type {HTMLElement | undefined} */
    this.log = undefined;
    this.of = '';
    /** Messages from this number on are shown, and those below that one. */
    this.from = 0;
    this.to = Infinity;
    this.follows = true;
    this.asking = false;
    /** @type {{ node: Element, top: number } | undefined} */
    this.anchor = undefined;
    /** Blocks of the last time, which stay the same values while they show the same. @type {Map<string, Block>} */
    this.blocks = new Map();
    /** What of it was shown last: where that is the same, nothing need be measured. */
    this.shown = '';
    this.isNew = true;
    this.sizes = new ResizeObserver(() => this.follows && this.pin());
    /** The last number that was said to be read. */
    this.readSaid = 0;
  }

  view() {
    const { app } = this;
    const { conversation } = app;
    if (!conversation) return this.nothing();
    const id = conversation.conversation;
    if (this.of !== id) this.turnTo(id);
    return h(
      'main',
      { class: 'thread', key: 'thread', 'aria-label': `Conversation with ${nameOf(conversation)}`, ...dropping(app, conversation) },
      this.head(conversation),
      h('div', { key: id, class: 'log', role: 'log', 'aria-live': 'off', 'aria-label': 'Messages', tabindex: 0, onscroll: () => this.scrolled(), ref: (/** @type {HTMLElement} */ node) => this.made(node) }, this.inside(conversation)),
      !this.follows && h('button', { class: 'to-end', onclick: () => this.toEnd() }, icon('down'), 'To the end'),
      conversation.state === 'wrap_up' && wrapUpView(app, conversation),
      composerView(app, conversation),
      app.dropping && h('div', { class: 'drop', 'aria-hidden': 'true' }, 'Drop the files here'),
    );
  }

  /** @param {HTMLElement} node */
  made(node) {
    this.log = node;
    this.sizes.disconnect();
    this.sizes.observe(node);
  }

  nothing() {
    const { app } = this;
    const any = Object.keys(app.state.conversations).length > 0;
    this.of = '';
    return h('main', { class: 'thread none', key: 'none', 'aria-label': 'Conversation' }, h('h1', { class: 'unseen' }, 'Console'), h('div', { class: 'empty' }, icon('chat'), h('p', null, any ? 'Choose a conversation on the left.' : 'What you take is shown here.')));
  }

  /** @param {string} id */
  turnTo(id) {
    this.of = id;
    this.follows = true;
    this.from = 0;
    this.to = Infinity;
    this.anchor = undefined;
    this.readSaid = 0;
    this.isNew = true;
    this.blocks.clear();
  }

  /** @param {Conversation} conversation */
  head(conversation) {
    const { app } = this;
    const { owner, joined, transfer_to } = conversation;
    const me = app.state.agent?.name;
    return h(
      'header',
      { class: 'head' },
      h('button', { class: 'quiet square back', 'aria-label': 'Back to the list', onclick: () => ((app.column = 'list'), app.changed()) }, icon('back')),
      h(
        'div',
        { class: 'who' },
        h('h1', { class: 'one-line' }, h('bdi', null, nameOf(conversation))),
        h(
          'p',
          { class: 'one-line' },
          h('span', { class: 'fact' }, icon(channelIcon(conversation.channel)), title(conversation.queue)),
          owner && owner !== me && h('span', { class: 'fact' }, 'owned by ', h('bdi', null, owner)),
          joined && h('span', { class: 'fact strong' }, h('bdi', null, joined === me ? 'you' : joined), joined === me ? ' have joined' : ' has joined'),
          transfer_to && h('span', { class: 'fact strong' }, 'offered to ', h('bdi', null, transfer_to)),
          conversation.paused_weight_percent !== undefined && h('span', { class: 'fact' }, 'paused'),
        ),
      ),
      threadDeeds(app, conversation),
    );
  }

  /** @param {Conversation} conversation */
  inside(conversation) {
    const { app } = this;
    const { state } = app;
    const id = conversation.conversation;
    const thread = state.threads[id];
    const { messages } = shown(state, id);
    const lastNumber = messages.at(-1)?.number ?? 0;
    if (lastNumber > 0 && (this.from === 0 || (this.follows && lastNumber - this.from >= MOST))) this.from = Math.max(1, lastNumber - FIRST + 1);
    const begins = thread?.begins === true && (messages[0]?.number ?? 1) >= this.from;
    const readWhenOpened = app.readWhenOpened.get(id) ?? Infinity;
    const all = blocks(messages, thread?.notes ?? [], this.from, this.to).map((block) => {
      const old = this.blocks.get(block.key);
      return old && sameBlock(old, block) ? old : block;
    });
    if (all.length !== this.blocks.size || all.some((block) => this.blocks.get(block.key) !== block)) this.isNew = true;
    this.blocks = new Map(all.map((block) => [block.key, block]));
    const lastOwn = messages.findLast(({ author }) => 'agent' in author)?.number ?? 0;
    const me = state.agent?.name;
    const today = new Date().toDateString();
    return [
      begins ? h('p', { key: 'begin', class: 'event' }, `Began ${dateTime(conversation.opened_at)}`) : h('div', { key: 'more', class: 'event more' }, messages.length > 0 || conversation.last_number > 0 ? [h('span', { class: 'spinner' }), 'Earlier messages'] : 'Nothing has been said yet.'),
      all.map((block) => {
        const has = (/** @type {number} */ number) => block.messages.some((one) => one.number === number);
        // What of the conversation shows in a block: only then is it described anew.
        const read = has(lastOwn) ? conversation.read_by_customer >= lastOwn : undefined;
        const fresh = has(readWhenOpened + 1) ? readWhenOpened + 1 : undefined;
        return memo(block.key, [block, read, fresh, me, today], () => h('ol', { class: 'block' }, rowsOf(block).map((row) => rowView(app, row, { id, me, lastOwn, read, fresh, name: nameOf(conversation) }))));
      }),
      this.to === Infinity && this.pending(id),
      this.to === Infinity && this.typing(conversation),
    ];
  }

  /** What is not answered yet. @param {string} id */
  pending(id) {
    const { app } = this;
    const entries = app.state.pending.filter(({ command, seen }) => (command.type === 'send' || command.type === 'note') && command.conversation === id && seen === undefined);
    const shown = entries.map(({ id: entry, state }) => `${entry} ${state}`).join();
    if (shown !== this.shown) this.isNew = true;
    this.shown = shown;
    if (entries.length === 0) return null;
    const live = app.state.link.phase === 'live';
    return h(
      'ol',
      { key: 'pending', class: 'block' },
      entries.map(({ id: entry, command, state, error }) =>
        h(
          'li',
          { key: entry, class: `said ${command.type === 'note' ? 'note' : 'mine'} ${state === 'refused' ? 'refused' : 'pending'}` },
          bubbleView(String(command.text), filesOf(command)),
          attachedView(app, id, filesOf(command)),
          state === 'refused'
            ? h(
                'p',
                { class: 'under bad' },
                icon('alert'),
                `Not sent. ${refusal(error)}`,
                h('button', { class: 'link', onclick: () => this.again(entry, command) }, 'Try again'),
                h('button', { class: 'link', onclick: () => app.client.discard(entry) }, 'Discard'),
              )
            : h('p', { class: 'under' }, live ? 'Sending…' : 'Waits for the connection'),
        ),
      ),
    );
  }

  /**
   * @param {string} entry
   * @param {Record<string, any>} command
   */
  again(entry, { type, conversation, text, files }) {
    this.app.client.discard(entry);
    this.app.client.command(type, { conversation, text, files }).catch(() => {});
  }

  /** @param {Conversation} conversation */
  typing(conversation) {
    const now = this.app.client.now();
    const typing = Object.entries(this.app.state.threads[conversation.conversation]?.typing ?? {}).filter(([, until]) => until > now);
    const names = typing.map(([who]) => who || nameOf(conversation));
    return h('p', { key: 'typing', class: 'typing' }, names.length > 0 && [h('bdi', null, names.join(', ')), names.length > 1 ? ' are typing…' : ' is typing…']);
  }

  /** Before it is drawn: what is seen now is to stay where it is. */
  hold() {
    const { log } = this;
    this.anchor = undefined;
    // It is known only afterwards whether something has changed.
    if (!log?.isConnected || this.follows) return;
    const top = log.getBoundingClientRect().top;
    for (const node of log.querySelectorAll('.block')) {
      if (node.getBoundingClientRect().bottom <= top) continue;
      const row = [...node.children].find((one) => one.getBoundingClientRect().bottom > top);
      if (row) this.anchor = { node: row, top: row.getBoundingClientRect().top };
      return;
    }
  }

  drawn() {
    const { log, app } = this;
    const { conversation } = app;
    if (!log?.isConnected || !conversation) return;
    if (this.isNew) {
      if (this.follows) this.pin();
      else if (this.anchor?.node.isConnected) log.scrollTop += this.anchor.node.getBoundingClientRect().top - this.anchor.top;
      this.fill();
    }
    this.isNew = false;
    this.sayRead(conversation);
  }

  pin() {
    if (this.log) this.log.scrollTop = this.log.scrollHeight;
  }

  scrolled() {
    const { log } = this;
    if (!log) return;
    const follows = this.to === Infinity && log.scrollHeight - log.scrollTop - log.clientHeight < NEAR_END;
    if (follows !== this.follows) {
      this.follows = follows;
      this.app.changed();
    }
    this.fill();
  }

  toEnd() {
    this.follows = this.isNew = true;
    this.from = 0;
    this.to = Infinity;
    this.app.changed();
    this.log?.focus({ preventScroll: true });
  }

  /** More, when an end of what is shown is near: of what is known, and further up of what the server has. */
  fill() {
    const { log, app } = this;
    const thread = app.state.threads[this.of];
    if (!log || !thread) return;
    const first = thread.messages[0]?.number ?? 0;
    const last = thread.messages.at(-1)?.number ?? 0;
    if (this.to !== Infinity && log.scrollHeight - log.scrollTop - log.clientHeight < NEAR) {
      this.to = this.to + MORE > last ? Infinity : this.to + MORE;
      this.from = Math.max(this.from, Math.min(this.to, last + 1) - MOST);
      app.changed();
    } else if (log.scrollTop < NEAR && this.from > 0 && first < this.from) {
      this.from = Math.max(first, this.from - MORE);
      if (!this.follows && Math.min(this.to, last + 1) - this.from > MOST) this.to = this.from + MOST;
      app.changed();
    } else if (log.scrollTop < NEAR && !thread.begins && !this.asking && app.state.link.phase === 'live' && first > 0) {
      this.asking = true;
      // What has come is shown by who asked: it changes nothing of what is shown so far, and at the very top nobody scrolls any further.
      const done = () => ((this.asking = false), app.changed(), this.fill());
      app.client.command('history', { conversation: this.of, before: first, limit: MORE }).then(done, () => setTimeout(done, 1_000));
    }
  }

  /**
   * Read is what was shown to somebody who looks.
   * @param {Conversation} conversation
   */
  sayRead({ conversation: id, last_number, read_by_agent, state }) {
    const { app } = this;
    const known = app.state.threads[id]?.messages.at(-1)?.number ?? 0;
    if (document.visibilityState === 'hidden' || !this.follows || state === 'closed' || app.state.stale) return;
    const upTo = Math.min(known, last_number);
    if (upTo <= Math.max(read_by_agent, this.readSaid)) return;
    this.readSaid = upTo;
    app.client.read(id, upTo).catch(() => {});
  }
}

/**
 * @param {App} app
 * @param {ThreadRow} row
 * @param {{ id: string, me: string | undefined, lastOwn: number, read: boolean | undefined, fresh: number | undefined, name: string }} known
 */
function rowView(app, row, { id, me, lastOwn, read, fresh, name }) {
  if (row.kind === 'day') return h('li', { key: row.key, class: 'event day' }, h('span', null, dayOf(row.at, Date.now())));
  if (row.kind === 'gap') return h('li', { key: row.key, class: 'event' }, h('span', { class: 'spinner' }), 'Messages on their way');
  if (row.kind === 'note') {
    const { note } = row;
    return h(
      'li',
      { key: row.key, class: 'said note' },
      h('p', { class: 'author' }, icon('note'), 'Note by ', h('bdi', null, note.author === null ? 'the administration' : note.author === me ? 'you' : note.author), h('time', { datetime: new Date(note.at).toISOString() }, clockTime(note.at))),
      bubbleView(note.text, note.files),
      attachedView(app, id, note.files),
    );
  }
  const { message, first, last } = row;
  const { author, number, text, at, files, delivery } = message;
  const mine = 'agent' in author && author.agent === me;
  const kind = 'system' in author ? 'system' : mine ? 'mine' : 'agent' in author ? 'colleague' : 'theirs';
  const who = 'agent' in author ? author.agent : 'customer' in author ? name : 'The workspace';
  return h(
    'li',
    { key: row.key, class: `said ${kind} ${first ? 'first' : ''} ${last ? 'last' : ''}`, 'data-number': number },
    fresh === number && h('p', { class: 'event new' }, h('span', null, 'New')),
    first ? h('p', { class: `author ${mine ? 'unseen' : ''}` }, h('bdi', null, mine ? 'You' : who)) : null,
    bubbleView(text, files, dateTime(at)),
    attachedView(app, id, files),
    last && h('p', { class: 'under' }, h('time', { datetime: new Date(at).toISOString() }, clockTime(at)), number === lastOwn && mine && h('span', null, ` · ${read ? 'Read' : DELIVERY[delivery?.state ?? 'sent']}`)),
    delivery?.state === 'failed' && h('p', { class: 'under bad', role: 'status' }, icon('alert'), `Not delivered${delivery.reason ? `: ${delivery.reason}` : ''}`),
  );
}
