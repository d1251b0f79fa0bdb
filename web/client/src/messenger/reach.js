// Where a customer's files are, and by which right: that of the tab that leads, or, in one that follows, what this browser holds of it.

import { backOf, tokenFrom } from '../shared/files.js';

/**
 * @param {import('./client.js').MessengerClient} client
 * @returns {import('../shared/files.js').Reach}
 */
export function reachOf(client) {
  const { env } = client;
  const known = tokenFrom(env, () => client.to.token);
  return {
    env,
    base: () => client.base,
    token: async (refused) => {
      const { core, to, scope } = client;
      if (core) {
        if (refused !== undefined && core.fetched === refused) core.fetched = undefined;
        return core.token();
      }
      if (to.token !== undefined) return known(refused);
      return JSON.parse((await env.storage.read(`${scope}|conversation`)) ?? '{}').token;
    },
    onBack: backOf(client),
  };
}
