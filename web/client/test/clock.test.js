// The client's clock and its alarms: a timer only hurries, and sleep counts.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Alarms, Clock } from '../src/shared/clock.js';
import { bearerOf, scopeOf } from '../src/shared/scope.js';
import { VirtualTime } from './support.js';

function started() {
  const time = new VirtualTime();
  const env = { monotonic: () => time.monotonic, wall: () => time.wall, setTimeout: time.setTimeout, clearTimeout: time.clearTimeout };
  const clock = new Clock(env);
  return { time, clock, alarms: new Alarms(env, clock), heard: /** @type {string[]} */ ([]) };
}

test('time that the machine slept counts once, and a corrected wall clock does not', () => {
  const { time, clock } = started();
  time.pass(1_000);
  assert.deepEqual([clock.now(), clock.takeWoke()], [1_000, false]);
  time.sleep(4_000);
  assert.deepEqual([clock.now(), clock.takeWoke()], [1_000, false]);
  time.wall -= 3_600_000;
  assert.deepEqual([clock.now(), clock.takeWoke()], [1_000, false]);
  time.sleep(60_000);
  assert.deepEqual([clock.now(), clock.takeWoke(), clock.takeWoke(), clock.now()], [61_000, true, false, 61_000]);
});

test('alarms ring when they are due, one of each name, and none that was cleared', async () => {
  const { time, alarms, heard } = started();
  alarms.at('a', 100, () => heard.push('a'));
  alarms.at('b', 50, () => heard.push('b'));
  alarms.at('a', 200, () => heard.push('later a'));
  alarms.at('c', 60, () => heard.push('c'));
  alarms.clear('c');
  await time.advance(199);
  assert.deepEqual(heard, ['b']);
  await time.advance(1);
  assert.deepEqual([heard, time.timers.length], [['b', 'later a'], 0]);
});

test('what is due is found by whatever happens first, when the timer is late', () => {
  const { time, alarms, heard } = started();
  alarms.at('a', 100, () => heard.push('a'));
  alarms.at('b', 100, () => alarms.clear('c'));
  alarms.at('c', 100, () => heard.push('c'));
  time.pass(5_000);
  alarms.tick();
  assert.deepEqual(heard, ['a']);
});

test('a time far away is looked at in between', async () => {
  const { time, alarms, heard } = started();
  alarms.at('a', 2 ** 40, () => heard.push('a'));
  assert.ok((time.timers[0]?.due ?? 0) <= 15_000);
  await time.advance(100_000);
  assert.deepEqual([heard, time.timers.length], [[], 1]);
});

test('who is who, for what is kept in this browser', () => {
  const token = `x.${Buffer.from(JSON.stringify({ sub: 'Zoë|1', workspace: 'demo' })).toString('base64url')}.y`;
  assert.deepEqual(bearerOf(token), { sub: 'Zoë|1', workspace: 'demo' });
  for (const none of ['', 'x', 'x.y.z', 'x.bnVsbA.z']) assert.deepEqual(bearerOf(none), {});
  assert.notEqual(scopeOf('agent', 'u', 'a|b', 'c'), scopeOf('agent', 'u', 'a', 'b|c'));
  assert.equal(scopeOf('agent', 'https://h/', 'a'), scopeOf('agent', 'https://h', 'a'));
});
