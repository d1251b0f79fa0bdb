// Whom and what a conversation may be given to: colleagues and queues, a page at a time by name.

/**
 * @typedef {object} Colleague
 * @property {string} agent
 * @property {string} title
 * @property {boolean} available
 * @property {string} connection
 *
 * @typedef {{ queue: string, title: string, picking: boolean }} QueueName
 */

const PAGE = 200;
const PAGES_MAX = 5;
/** What was asked so lately is not asked again. */
const FRESH_MS = 10_000;

export class Directory {
  /** @param {import('./app.js').App} app */
  constructor(app) {
    this.app = app;
    /** @type {readonly Colleague[]} */
    this.agents = [];
    /** @type {readonly QueueName[]} */
    this.queues = [];
    this.askedAt = -Infinity;
    this.failed = false;
  }

  /** Asks for both. */
  async load() {
    if (performance.now() - this.askedAt < FRESH_MS) return;
    this.askedAt = performance.now();
    try {
      [this.queues, this.agents] = await Promise.all([this.all('queues'), this.all('agents')]);
      this.failed = false;
    } catch {
      this.failed = true;
      this.askedAt = -Infinity;
    }
    this.app.changed();
  }

  /** @param {'queues' | 'agents'} what */
  async all(what) {
    const out = [];
    let cursor;
    for (let page = 0; page < PAGES_MAX; page++) {
      const { rows, cursor: next } = await this.app.client.command('directory', { what, limit: PAGE, cursor });
      out.push(...rows);
      if (next === undefined) break;
      cursor = next;
    }
    return out;
  }

  /** @param {string} queue */
  titleOf(queue) {
    return this.queues.find((one) => one.queue === queue)?.title || undefined;
  }
}

/**
 * Those that have the words in name or title: who may take something first.
 * @param {readonly Colleague[]} agents
 * @param {readonly QueueName[]} queues
 * @param {string} wanted
 * @param {string | undefined} me
 * @returns {({ kind: 'agent' } & Colleague | { kind: 'queue' } & QueueName)[]}
 */
export function found(agents, queues, wanted, me) {
  const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
  const has = (/** @type {string} */ text) => words.every((word) => text.toLowerCase().includes(word));
  const people = agents.filter(({ agent, title }) => agent !== me && has(`${agent} ${title}`)).sort((a, b) => Number(b.available) - Number(a.available));
  return [
    ...people.slice(0, 50).map((one) => ({ kind: /** @type {const} */ ('agent'), ...one })),
    ...queues.filter(({ queue, title }) => has(`${queue} ${title}`)).slice(0, 50).map((one) => ({ kind: /** @type {const} */ ('queue'), ...one })),
  ];
}
