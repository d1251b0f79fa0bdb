// Why, in plain words: what stands between a conversation, or an agent, and an offer. The rules are those of docs/routing.md. Pure.

import { countdown, span } from '../shared/time.js';
import { words } from './model.js';

/**
 * Each rule, as the end of a sentence that begins with the agent's name.
 * @type {Record<string, string>}
 */
const RULES = {
  queue_closed: 'cannot be asked: the queue is closed at this hour',
  deactivated: 'may not work here any more',
  offline: 'is offline',
  reconnecting: 'has lost the connection, and keeps the status for a while',
  unreachable: 'is unreachable: two offers in a row were never shown',
  status_not_available: 'is in a status that takes nothing',
  draining: 'is draining: nothing new is offered',
  next_status: 'finishes the work at hand and then changes the status',
  wrapping_up: 'is in wrap-up, which blocks everything else',
  not_in_queue: 'is not of this queue',
  tier_not_yet: 'is of a tier that is not let in yet',
  programs_first: 'is a person, and programs are asked first',
  kept_for_another: 'is not the one that it is kept for',
  channel_off: 'has switched this channel off',
  channel_full: 'holds as many of this channel as may be',
  capacity_full: 'has no capacity left',
  lacks_skill: 'lacks a required skill, or its level',
  cooling_down: 'said no to it, or did not answer, a moment ago',
  decision_pending: 'would be asked, but a decision from outside is awaited',
};

/** The same of several. @type {Record<string, string>} */
const RULES_MANY = {
  queue_closed: 'cannot be asked: the queue is closed at this hour',
  deactivated: 'may not work here any more',
  offline: 'are offline',
  reconnecting: 'have lost the connection, and keep the status for a while',
  unreachable: 'are unreachable: two offers in a row were never shown',
  status_not_available: 'are in a status that takes nothing',
  draining: 'are draining: nothing new is offered',
  next_status: 'finish the work at hand and then change the status',
  wrapping_up: 'are in wrap-up, which blocks everything else',
  not_in_queue: 'are not of this queue',
  tier_not_yet: 'are of a tier that is not let in yet',
  programs_first: 'are people, and programs are asked first',
  kept_for_another: 'are not the one that it is kept for',
  channel_off: 'have switched this channel off',
  channel_full: 'hold as many of this channel as may be',
  capacity_full: 'have no capacity left',
  lacks_skill: 'lack a required skill, or its level',
  cooling_down: 'said no to it, or did not answer, a moment ago',
  decision_pending: 'would be asked, but a decision from outside is awaited',
};

export const RULE_NAMES = Object.keys(RULES);

/** @param {string} rule @param {number} [many] */
export function ruleSaid(rule, many = 1) {
  const table = many === 1 ? RULES : RULES_MANY;
  return Object.hasOwn(table, rule) ? /** @type {string} */ (table[rule]) : `cannot be asked (${rule})`;
}

/** @type {Record<string, string>} */
const ORDERS = {
  longest_idle: 'the longest idle first',
  least_loaded: 'the least loaded first',
  round_robin: 'in turn',
  most_skilled: 'the most skilled first',
};

/**
 * @typedef {{ title: string, facts: [string, string][], order: string, candidates: { agent: string, said: string }[], groups: { rule: string, said: string, count: number, names: string[] }[], more: number }} Said
 */

/** Names that one rule lists before it only counts. */
const NAMES_MAX = 8;

/**
 * Of a conversation.
 * @param {any} why As the server answers.
 * @param {(queue: string) => string} titled
 * @returns {Said}
 */
export function whyConversation(why, titled) {
  const { needs, candidates, excluded, excluded_by_rule: byRule } = why;
  /** @type {Map<string, string[]>} */
  const names = new Map();
  for (const { agent, rule } of excluded) names.set(rule, [...(names.get(rule) ?? []), agent]);
  const groups = Object.entries(byRule)
    .sort(([a], [b]) => rank(a) - rank(b))
    .map(([rule, count]) => ({ rule, count: Number(count), said: ruleSaid(rule, Number(count)), names: (names.get(rule) ?? []).slice(0, NAMES_MAX) }));
  return {
    title: headline(why, titled),
    facts: facts(why, titled),
    order: ORDERS[needs.agents_by] ?? '',
    candidates: candidates.map((/** @type {any} */ one) => ({ agent: one.agent, said: candidateSaid(one, needs) })),
    groups,
    more: why.agents - why.agents_looked_at,
  };
}

/** Who is of no use whatever happens comes last. @param {string} rule */
const rank = (rule) => (rule === 'not_in_queue' || rule === 'deactivated' ? 100 : RULE_NAMES.length - RULE_NAMES.indexOf(rule));

/** @param {any} why @param {(queue: string) => string} titled */
function headline({ state, owner, queue, offered_to, needs, candidates, decision, excluded_by_rule: byRule }, titled) {
  if (state === 'wrap_up') return `${owner} wraps it up.`;
  if (owner && offered_to.length > 0) return `${owner} owns it, and it is offered to ${list(offered_to.map((/** @type {any} */ one) => one.agent))}.`;
  if (owner) return `${owner} owns it.`;
  if (offered_to.length > 0) return `It is offered to ${list(offered_to.map((/** @type {any} */ one) => one.agent))}, and waits for an answer.`;
  if (needs.closed) return `${titled(queue)} is closed at this hour, so it is offered to nobody.`;
  if (decision?.pending) return `A router of your own is asked about it, for ${countdown(decision.pending.ends_in_ms)} more.`;
  if (candidates.length > 0) return `${candidates[0].agent} is the next to be offered it.`;
  const those = Object.entries(byRule).filter(([rule]) => rule !== 'not_in_queue' && rule !== 'deactivated');
  if (those.length === 0) return `Nobody is an agent of ${titled(queue)}.`;
  if (those.every(([rule]) => rule === 'offline')) return `No agent of ${titled(queue)} is online.`;
  const [most, count] = those.reduce((a, b) => (Number(b[1]) > Number(a[1]) ? b : a));
  return `Nobody can take it now. ${count === 1 ? 'The one who comes nearest' : `Most of them (${count})`} ${ruleSaid(most, Number(count))}.`;
}

/** @param {any} why @param {(queue: string) => string} titled @returns {[string, string][]} */
function facts({ needs, awaited, clocks = [], paused_weight_percent: paused, decision, at }, titled) {
  /** @type {([string, string] | false | null | undefined)[]} */
  const all = [
    [needs.queues.length > 1 ? 'Queues' : 'Queue', list(needs.queues.map(titled))],
    ['Channel', needs.channel],
    needs.skills.length > 0 && ['Needs', list(needs.skills.map((/** @type {any} */ skill) => `${skill.name} ${skill.level}`))],
    needs.preferred_skills.length > 0 && ['Better with', list(needs.preferred_skills)],
    needs.ring > 0 && ['Widened', needs.ring === 1 ? 'once since it began to wait' : `${needs.ring} times since it began to wait`],
    needs.tiers_up_to < 255 && ['Tiers', `up to ${needs.tiers_up_to}`],
    needs.kept_for && ['Kept for', needs.kept_for],
    needs.only_programs && ['Programs', 'are asked first; people are not let in yet'],
    needs.offer_to_at_most > 1 && ['Offered to', `at most ${needs.offer_to_at_most} at once`],
    awaited && ['Awaited', `${awaited.who === 'owner' ? 'an answer to the customer' : 'a word of the customer'}, for ${span(Math.max(0, at.desk_ms - awaited.since))}`],
    ...clocks.map((/** @type {any} */ clock) => [words(clock.clock), clock.breached ? `${span(Math.max(0, at.wall_ms - clock.due))} late` : `due in ${span(Math.max(0, clock.due - at.wall_ms))}`]),
    paused !== undefined && ['Paused', `the customer is silent; it takes ${paused} % of its weight`],
    decision?.last && ['Last decision', `from outside: ${words(decision.last.end).toLowerCase()}`],
  ];
  return all.filter((one) => Array.isArray(one));
}

/** @param {any} one @param {any} needs */
function candidateSaid({ tier, program, required_levels: levels, queue, rank: rankNow }, needs) {
  const parts = [
    queue > 0 && `of ${needs.queues[queue]}`,
    tier > 1 && `tier ${tier}`,
    program && 'a program',
    needs.agents_by === 'most_skilled' && levels > 0 && `skill levels ${levels}`,
    needs.agents_by === 'least_loaded' && `${Math.round(rankNow / 100)} % in use`,
  ];
  return parts.filter((part) => typeof part === 'string').join(', ');
}

/**
 * Of an agent.
 * @param {any} why
 * @param {string} name
 * @param {(queue: string) => string} titled
 */
export function whyAgent(why, name, titled) {
  const waiting = why.groups.reduce((/** @type {number} */ sum, /** @type {any} */ group) => sum + group.waiting, 0);
  const next = why.next === null || why.next === undefined ? undefined : `c${why.next}`;
  const title = why.excluded
    ? `${name} ${ruleSaid(why.excluded)}.`
    : next
      ? `${name} takes ${next} next.`
      : waiting === 0
        ? `${name} may be offered something, and nothing waits.`
        : `${name} may be offered something, but nothing of what waits.`;
  const groups = why.groups.map((/** @type {any} */ group) => ({
    first: `c${group.first}`,
    what: `${group.waiting} in ${titled(group.queue)}, ${group.channel}${group.skills.length > 0 ? `, ${list(group.skills.map((/** @type {any} */ skill) => `${skill.name} ${skill.level}`))}` : ''}`,
    said: group.rule ? `${name} ${ruleSaid(group.rule)}` : 'could be offered',
  }));
  return { title, groups };
}

/** `a`, `a and b`, `a, b and c`. @param {readonly string[]} names */
export function list(names) {
  return names.length < 2 ? (names[0] ?? '') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}
