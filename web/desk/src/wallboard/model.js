// What the wallboard makes of the rows that it is told: sums, shares, groups, and which rows it asks for. Pure.

/**
 * @typedef {object} QueueRow
 * @property {string} queue
 * @property {string} title
 * @property {number} waiting
 * @property {number} offered
 * @property {number} active
 * @property {number} [paused]
 * @property {number} longest_wait_ms
 * @property {number} agents_available With room for one more.
 * @property {number} agents_there In an available status, busy or not.
 * @property {boolean} open
 * @property {number} [opens_at]
 * @property {number} [closes_at]
 * @property {{ channel: string, priority: number, place: number, p50_ms: number, p90_ms: number }[]} [estimates]
 * @property {boolean} [draining]
 * @property {Service} [service]
 *
 * @typedef {{ achieved: number, breached: number }} Kept
 * @typedef {{ within_ms?: number, counted_since: number, lately: Kept, day: Kept }} Service
 *
 * @typedef {object} AgentRow
 * @property {string} agent
 * @property {string} title
 * @property {boolean} program
 * @property {string} connection
 * @property {string} status
 * @property {boolean} available
 * @property {number} since
 * @property {number} offers
 * @property {number} conversations
 * @property {number} [paused]
 * @property {number} load Per cent.
 * @property {number} [missed]
 * @property {{ channel: string, held: number, limit: number }[]} [channels]
 * @property {string} [next_status]
 * @property {boolean} [draining]
 *
 * @typedef {{ connection: string, status: string, available: boolean, agents: number }} Total
 *
 * @typedef {object} Filter What is to be seen of the agents.
 * @property {string} show `here`, `offline`, `reconnecting`, `all`, or `=` and the name of a status.
 * @property {string} queue Empty: all.
 * @property {string} find
 * @property {'name' | 'load' | 'since'} order
 * @property {number} page From 0.
 */

/** Rows of a page: what is shown is what is sent. */
export const PAGE = 50;

/** @type {Filter} */
export const FIRST = Object.freeze({ show: 'here', queue: '', find: '', order: 'since', page: 0 });

/**
 * What is asked of the server for it.
 * @param {Filter} filter
 */
export function sheetOf({ show, queue, find, order, page }) {
  const status = show.startsWith('=') ? show.slice(1) : undefined;
  const connection = status !== undefined ? 'here' : show === 'all' ? undefined : show;
  return {
    order,
    limit: PAGE,
    ...(page > 0 && { skip: page * PAGE }),
    ...(connection && { connection }),
    ...(status !== undefined && { status }),
    ...(queue && { queue }),
    ...(find && { find: cut(find) }),
  };
}

/** A name has 64 bytes at most. @param {string} text */
function cut(text) {
  let short = text;
  while (new TextEncoder().encode(short).length > 64) short = short.slice(0, -1);
  return short;
}

/**
 * A filter as the end of an address, so that a page that is loaded again shows the same.
 * @param {Filter} filter
 */
export function toQuery(filter) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(filter)) {
    if (value !== FIRST[/** @type {keyof Filter} */ (name)]) query.set(name, String(value));
  }
  return query;
}

/** @param {URLSearchParams} query @returns {Filter} */
export function fromQuery(query) {
  const order = query.get('order');
  const page = Number(query.get('page'));
  return {
    show: query.get('show') ?? FIRST.show,
    queue: query.get('queue') ?? '',
    find: query.get('find') ?? '',
    order: order === 'name' || order === 'load' ? order : 'since',
    page: Number.isInteger(page) && page > 0 && page <= 2_000 ? page : 0,
  };
}

/**
 * Who needs a look first: who waits the longest in a queue that is open, then those that are closed, then the others by name.
 * @param {readonly QueueRow[]} rows
 */
export function byNeed(rows) {
  const need = (/** @type {QueueRow} */ row) => (row.waiting === 0 ? -1 : row.open ? 1 + row.longest_wait_ms : 0);
  return [...rows].sort((a, b) => need(b) - need(a) || b.waiting - a.waiting || compare(a.title, b.title) || compare(a.queue, b.queue));
}

/** @param {string} a @param {string} b */
const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

/**
 * Over all queues; the longest wait is one that somebody could end.
 * @param {readonly QueueRow[]} rows
 */
export function sums(rows) {
  const of = (/** @type {(row: QueueRow) => number} */ pick) => rows.reduce((sum, row) => sum + pick(row), 0);
  const longest = rows.reduce((/** @type {QueueRow | undefined} */ most, row) => (row.waiting > 0 && row.open && row.longest_wait_ms > (most?.longest_wait_ms ?? -1) ? row : most), undefined);
  const kept = (/** @type {'lately' | 'day'} */ span) => ({ achieved: of((row) => row.service?.[span].achieved ?? 0), breached: of((row) => row.service?.[span].breached ?? 0) });
  return { waiting: of((row) => row.waiting), offered: of((row) => row.offered), active: of((row) => row.active), longest, lately: kept('lately'), day: kept('day') };
}

/**
 * The service level in whole per cent, or nothing where nothing was counted. Only all of it is 100.
 * @param {Kept} kept
 * @returns {number | undefined}
 */
export function percent({ achieved, breached }) {
  const all = achieved + breached;
  return all === 0 ? undefined : Math.floor((100 * achieved) / all);
}

const DAY_MS = 86_400_000;

/**
 * What the longer count is of: a day, or since the server was started, where that is less.
 * @param {number} countedSince Unix ms.
 * @param {number} now
 * @param {(at: number) => string} clock
 */
export const spanOf = (countedSince, now, clock) => (now - countedSince >= DAY_MS ? 'in 24 h' : `since ${clock(countedSince)}`);

/** The share that is asked of a queue, and the one below which somebody should look. */
export const GOAL = 80;
export const LOW = 60;

/** @param {number | undefined} level @returns {'good' | 'warn' | 'bad' | ''} */
export const toneOf = (level) => (level === undefined ? '' : level >= GOAL ? 'good' : level >= LOW ? 'warn' : 'bad');

/**
 * How urgent a wait is: against the time that the queue gives, or, where it gives none, two and five minutes.
 * @param {QueueRow} row
 * @param {number} ms
 * @returns {'' | 'warn' | 'bad'}
 */
export function urgency(row, ms) {
  if (row.waiting === 0 || !row.open) return '';
  const [soon, late] = row.service?.within_ms !== undefined ? [row.service.within_ms / 2, row.service.within_ms] : [120_000, 300_000];
  return ms >= late ? 'bad' : ms >= soon ? 'warn' : '';
}

/**
 * @typedef {object} Group Agents who stand alike.
 * @property {string} show As of the filter.
 * @property {string} label
 * @property {number} agents
 * @property {'good' | 'warn' | 'bad' | 'hollow' | ''} dot
 *
 * All who are here by their status; then who has lost the connection, and who is offline.
 * @param {readonly Total[]} totals
 * @returns {{ here: number, available: number, groups: Group[] }}
 */
export function groups(totals) {
  /** @type {Map<string, Group & { available: boolean }>} */
  const statuses = new Map();
  const counted = { here: 0, available: 0, reconnecting: 0, offline: 0 };
  for (const { connection, status, available, agents } of totals) {
    if (connection === 'offline') {
      counted.offline += agents;
      continue;
    }
    counted.here += agents;
    if (available && connection === 'online') counted.available += agents;
    if (connection !== 'online') counted.reconnecting += agents;
    const group = statuses.get(status) ?? { show: `=${status}`, label: words(status), agents: 0, dot: available ? 'good' : 'warn', available };
    statuses.set(status, { ...group, agents: group.agents + agents });
  }
  const sorted = [...statuses.values()].sort((a, b) => Number(b.available) - Number(a.available) || b.agents - a.agents || compare(a.label, b.label));
  /** @type {Group[]} */
  const all = sorted.map(({ available, ...group }) => group);
  if (counted.reconnecting > 0) all.push({ show: 'reconnecting', label: 'Reconnecting', agents: counted.reconnecting, dot: 'bad' });
  all.push({ show: 'offline', label: 'Offline', agents: counted.offline, dot: 'hollow' });
  return { here: counted.here, available: counted.available, groups: all };
}

/**
 * `training_room` -> `Training room`.
 * @param {string} name
 */
export function words(name) {
  const spaced = name.replaceAll('_', ' ').trim() || name;
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}

/**
 * How an agent stands, in one word and a colour that says the same.
 * @param {AgentRow} row
 * @returns {{ word: string, dot: 'good' | 'warn' | 'bad' | 'hollow' }}
 */
export function standing({ connection, status, available, load }) {
  if (connection === 'offline') return { word: 'Offline', dot: 'hollow' };
  if (connection === 'reconnecting') return { word: 'Reconnecting', dot: 'bad' };
  if (connection === 'unreachable') return { word: 'Unreachable', dot: 'bad' };
  return { word: words(status), dot: available && load < 100 ? 'good' : 'warn' };
}
