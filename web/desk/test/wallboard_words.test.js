import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { RULE_NAMES, list, ruleSaid, whyAgent, whyConversation } from '../src/wallboard/words.js';

const titled = (/** @type {string} */ queue) => queue.toUpperCase();
const needs = { queues: ['support'], channel: 'chat', skills: [], preferred_skills: [], tiers_up_to: 255, ring: 0, kept_for: null, agents_by: 'longest_idle', offer_to_at_most: 1, closed: false };
const waits = { conversation: 17, state: 'waiting', queue: 'support', needs, offered_to: [], owner: null, candidates: [], excluded: [], excluded_by_rule: {}, agents_looked_at: 0, agents: 0, at: { desk_ms: 100_000, wall_ms: 200_000 } };

test('every rule of the server has words, for one and for several', () => {
  const rust = readFileSync(new URL('../../../src/desk/fits.rs', import.meta.url), 'utf8');
  const rules = [...rust.matchAll(/WhyNot::\w+ => "(\w+)"/g)].map(([, name]) => name);
  assert.ok(rules.length > 15);
  assert.deepEqual([...rules].sort(), [...RULE_NAMES].sort());
  assert.equal(ruleSaid('lacks_skill', 3), 'lack a required skill, or its level');
  assert.equal(ruleSaid('of_a_later_server'), 'cannot be asked (of_a_later_server)');
  assert.equal(ruleSaid('constructor'), 'cannot be asked (constructor)');
});

test('the first sentence says how it stands', () => {
  const said = (/** @type {object} */ more) => whyConversation({ ...waits, ...more }, titled).title;
  assert.equal(said({}), 'Nobody is an agent of SUPPORT.');
  assert.equal(said({ excluded_by_rule: { offline: 4, not_in_queue: 2 } }), 'No agent of SUPPORT is online.');
  assert.equal(said({ excluded_by_rule: { channel_full: 3, lacks_skill: 1 } }), 'Nobody can take it now. Most of them (3) hold as many of this channel as may be.');
  assert.equal(said({ excluded_by_rule: { cooling_down: 1 } }), 'Nobody can take it now. The one who comes nearest said no to it, or did not answer, a moment ago.');
  assert.equal(said({ candidates: [{ agent: 'ada', tier: 1, queue: 0 }] }), 'ada is the next to be offered it.');
  assert.equal(said({ state: 'offered', offered_to: [{ offer: 1, agent: 'ada' }, { offer: 2, agent: 'bob' }] }), 'It is offered to ada and bob, and waits for an answer.');
  assert.equal(said({ state: 'active', owner: 'ada' }), 'ada owns it.');
  assert.equal(said({ needs: { ...needs, closed: true } }), 'SUPPORT is closed at this hour, so it is offered to nobody.');
});

test('facts, order and reasons are told, and names are not for ever', () => {
  const excluded = Array.from({ length: 20 }, (_, place) => ({ agent: `a${place}`, rule: 'channel_full' }));
  const why = { ...waits, needs: { ...needs, skills: [{ name: 'french', level: 3 }], ring: 2, kept_for: 'ada' }, excluded, excluded_by_rule: { not_in_queue: 5, channel_full: 20 }, awaited: { who: 'owner', since: 40_000, rule_at: null }, clocks: [{ clock: 'first_reply', breached: true, due: 140_000 }] };
  const { facts, groups, order } = whyConversation(why, titled);
  assert.deepEqual(facts, [['Queue', 'SUPPORT'], ['Channel', 'chat'], ['Needs', 'french 3'], ['Widened', '2 times since it began to wait'], ['Kept for', 'ada'], ['Awaited', 'an answer to the customer, for 1 min'], ['First reply', '1 min late']]);
  assert.equal(order, 'the longest idle first');
  assert.deepEqual(groups.map(({ rule, count, names }) => [rule, count, names.length]), [['channel_full', 20, 8], ['not_in_queue', 5, 0]]);
});

test('why an agent has nothing', () => {
  const group = { queue: 'support', channel: 'chat', skills: [{ name: 'french', level: 2 }], waiting: 3, first: 9, rule: 'lacks_skill' };
  const why = { excluded: null, next: null, groups: [group] };
  assert.deepEqual(whyAgent(why, 'Ada', titled), { title: 'Ada may be offered something, but nothing of what waits.', groups: [{ first: 'c9', what: '3 in SUPPORT, chat, french 2', said: 'Ada lacks a required skill, or its level' }] });
  assert.equal(whyAgent({ ...why, excluded: 'status_not_available' }, 'Ada', titled).title, 'Ada is in a status that takes nothing.');
  assert.equal(whyAgent({ ...why, groups: [] }, 'Ada', titled).title, 'Ada may be offered something, and nothing waits.');
  assert.equal(whyAgent({ ...why, next: 9 }, 'Ada', titled).title, 'Ada takes c9 next.');
  assert.equal(list(['a', 'b', 'c']), 'a, b and c');
});
