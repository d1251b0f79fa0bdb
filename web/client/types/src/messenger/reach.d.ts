/**
 * @param {import('./client.js').MessengerClient} client
 * @returns {import('../shared/files.js').Reach}
 */
export declare function reachOf(client: import('./client.js').MessengerClient): import('../shared/files.js').Reach;
