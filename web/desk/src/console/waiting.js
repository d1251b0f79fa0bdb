// What waits in a queue that may be picked from: asked for again while it is looked at, since nobody is told of each change.

import { channelIcon, icon } from '../shared/icons.js';
import { ago } from '../shared/time.js';
import { h } from '../shared/view.js';
import { nameOf } from './order.js';
import { refusal, title, words } from './words.js';

/** @typedef {import('./app.js').App} App */

const AGAIN_MS = 4_000;
const LIMIT = 50;

export class Waiting {
  /** @param {App} app */
  constructor(app) {
    this.app = app;
    this.queue = '';
    /** @type {any[]} Conversations as of docs/wire.md, with `rule`. */
    this.rows = [];
    this.more = false;
    this.fault = '';
    this.askedAt = -Infinity;
    this.asking = false;
  }

  /** With each drawing while it is shown. */
  tick() {
    const { app } = this;
    if (app.state.link.phase !== 'live') return;
    void app.directory.load();
    const queues = this.queues();
    if (!queues.some(({ queue }) => queue === this.queue)) this.queue = queues[0]?.queue ?? '';
    if (!this.queue || this.asking || performance.now() - this.askedAt < AGAIN_MS) return;
    void this.ask();
  }

  queues() {
    const { directory, state } = this.app;
    const all = state.agent?.role === 'agent' ? directory.queues.filter(({ picking }) => picking) : directory.queues;
    return all;
  }

  async ask() {
    this.asking = true;
    this.askedAt = performance.now();
    const { queue } = this;
    try {
      const { waiting, cursor } = await this.app.client.waitingIn(queue, { limit: LIMIT });
      if (queue === this.queue) [this.rows, this.more, this.fault] = [waiting, cursor !== undefined, ''];
    } catch (error) {
      if (queue === this.queue) [this.rows, this.more, this.fault] = [[], false, refusal(error)];
    }
    this.asking = false;
    this.app.changed();
  }

  /** @param {string} id */
  pick(id) {
    const { app } = this;
    app.busy.add('take');
    void app
      .deed(`pick ${id}`, () => app.client.pick(id))
      .finally(() => {
        app.busy.delete('take');
        this.askedAt = -Infinity;
        app.changed();
      });
  }
}

/** @param {App} app */
export function waitingView(app) {
  const { waiting } = app;
  waiting.tick();
  const queues = waiting.queues();
  if (queues.length === 0) {
    return h('div', { class: 'empty' }, icon('queue'), h('h2', null, 'No queue to pick from'), h('p', null, app.directory.failed ? 'The queues cannot be listed now.' : 'Your queues give out their conversations by offers alone.'));
  }
  return [
    h(
      'div',
      { class: 'narrow' },
      h(
        'select',
        { 'aria-label': 'Queue', onchange: (/** @type {any} */ { target }) => ((waiting.queue = target.value), (waiting.rows = []), (waiting.askedAt = -Infinity), app.changed()) },
        queues.map(({ queue, title: called }) => h('option', { key: queue, value: queue, selected: queue === waiting.queue }, called || title(queue))),
      ),
    ),
    waiting.fault && h('p', { class: 'fault pad', role: 'alert' }, waiting.fault),
    h('ul', { class: 'part', 'aria-label': 'Waiting' }, waiting.rows.map((row) => rowView(app, row))),
    waiting.more && h('p', { class: 'dim small pad' }, `The first ${LIMIT} are shown.`),
    waiting.rows.length === 0 && !waiting.fault && h('div', { class: 'empty' }, icon('inbox'), h('p', null, 'Nobody waits here.')),
  ];
}

/**
 * @param {App} app
 * @param {any} row
 */
function rowView(app, row) {
  const id = row.conversation;
  const off = row.rule !== undefined || app.busy.has(`pick ${id}`) || app.state.link.phase !== 'live';
  return h(
    'li',
    { key: id, class: 'row still' },
    h('span', { class: 'avatar', 'aria-hidden': 'true' }, icon(channelIcon(row.channel))),
    h('span', { class: 'lines' }, h('span', { class: 'line' }, h('bdi', { class: 'name one-line' }, nameOf(row)), h('span', { class: 'age mono waits' }, ago(Date.now() - row.waiting_since))), h('span', { class: 'line second' }, h('span', { class: 'one-line' }, row.rule ? `Not for you: ${words(row.rule)}` : title(row.channel)))),
    h('button', { class: 'pick', disabled: off, 'aria-label': `Take ${nameOf(row)}`, onclick: () => app.waiting.pick(id) }, icon('pick'), 'Take'),
  );
}
