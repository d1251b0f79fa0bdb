// How the server stands for its users, as its own status says; asked again now and then, while somebody looks.

import { clockTime } from '../shared/time.js';
import { h } from '../shared/view.js';

/** @typedef {{ component: string, title: string, state: string, since: number }} Component */

const EVERY_MS = 15_000;

/** @type {Record<string, { word: string, dot: string, tone: string }>} */
const STATES = {
  operational: { word: 'well', dot: 'good', tone: '' },
  degraded: { word: 'degraded', dot: 'warn', tone: 'warn' },
  partial_outage: { word: 'partial outage', dot: 'bad', tone: 'bad' },
  major_outage: { word: 'major outage', dot: 'bad', tone: 'bad' },
};
const UNKNOWN = { word: 'unknown', dot: 'hollow', tone: '' };

/** @param {string} state */
export const stateSaid = (state) => (Object.hasOwn(STATES, state) ? (STATES[state] ?? UNKNOWN) : UNKNOWN);

export class Health {
  /** @param {import('../../../client/src/agent/client.js').AgentClient} client @param {() => void} changed */
  constructor(client, changed) {
    /** @type {Component[]} */
    this.components = [];
    this.client = client;
    this.changed = changed;
    this.asking = false;
    setInterval(() => document.visibilityState === 'visible' && void this.ask(), EVERY_MS);
    client.subscribe((state, frame) => {
      if (frame.type === 'local.link' && state.link.phase === 'live') void this.ask();
    });
  }

  async ask() {
    if (this.asking || this.client.state.link.phase !== 'live') return;
    this.asking = true;
    try {
      const { components } = await this.client.command('health');
      this.components = Array.isArray(components) ? components : [];
      this.changed();
    } catch {
      // Whoever may not ask is told nothing.
    } finally {
      this.asking = false;
    }
  }
}

/** @param {Health} health */
export function healthView({ components }) {
  if (components.length === 0) return null;
  const bad = components.filter((one) => one.state !== 'operational');
  if (bad.length === 0) {
    return h('p', { class: 'health', title: components.map((one) => one.title).join(', ') }, h('span', { class: 'dot good' }), 'All systems well');
  }
  return h(
    'ul',
    { class: 'health', 'aria-label': 'What is not well' },
    bad.map(({ component, title, state, since }) => {
      const { word, dot, tone } = stateSaid(state);
      return h('li', { key: component, class: `badge ${tone}` }, h('span', { class: `dot ${dot}` }), `${title}: ${word} since ${clockTime(since)}`);
    }),
  );
}
