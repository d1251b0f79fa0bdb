// One scenario, again and again, each time with something else going wrong at another point of it.

import assert from 'node:assert/strict';
import { TestServer } from '../testing/server.js';

const AT_ONCE = 12;

/**
 * @typedef {import('../testing/mischief.js').Mischief} Mischief
 * @param {Mischief[]} mischiefs
 * @param {(server: TestServer) => Promise<void>} scenario Throws where something was lost, doubled, or changed that nobody changed.
 * @returns {Promise<string[]>} What failed, and where.
 */
export async function everywhere(mischiefs, scenario) {
  const clean = await TestServer.start();
  await scenario(clean);
  const points = [...clean.passed];
  await clean.stop();
  assert.ok(points.length > 15, `only ${points}`);
  const runs = points.flatMap((point, at) => mischiefs.map((mischief) => ({ point, at, mischief })));
  /** @type {string[]} */
  const failed = [];
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let run; (run = runs.shift()); ) {
        const server = await TestServer.start();
        server.at(run.at, run.mischief);
        try {
          await scenario(server);
        } catch (error) {
          failed.push(`${JSON.stringify(run.mischief)} at ${run.at} (${run.point}): ${error}\n  ${server.passed.join(' ')}`);
        }
        await server.stop();
      }
    }),
  );
  return failed;
}

/**
 * A server that ends with the test, however that ends.
 * @param {import('node:test').TestContext} t
 */
export async function begun(t) {
  const server = await TestServer.start();
  t.after(() => server.stop());
  return server;
}

/**
 * @template {{ stop: () => void }} C
 * @param {import('node:test').TestContext} t
 * @param {C} client
 */
export function ending(t, client) {
  t.after(() => client.stop());
  return client;
}
