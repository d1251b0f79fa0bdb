// What the console shows, as a whole.

import { h } from '../shared/view.js';

/**
 * @param {import('../shared/shell.js').Shell} shell
 * @returns {import('../shared/shell.js').Page}
 */
export function consolePage({ client, banner }) {
  return { view: () => h('main', null, banner(), h('p', null, client.state.agent?.title)) };
}
