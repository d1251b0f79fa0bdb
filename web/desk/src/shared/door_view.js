// What is there for somebody who is not signed in: the ways to the sign-in's own pages, which come back here.

import { h, render } from './view.js';

/**
 * @param {Element} root
 * @param {object} what
 * @param {import('./session.js').AtTheDoor['door']} what.door
 * @param {string} what.workspace
 * @param {string} what.title Of the page.
 * @param {boolean} what.byProvider Whether the workspace has a provider of its own.
 * @param {() => void} what.again
 */
export function drawDoor(root, { door, workspace, title, byProvider, again }) {
  render(root, h('main', { class: 'door' }, h('div', { class: 'card' }, h('p', { class: 'kind' }, `${title} · ${workspace}`), inside())));
  /** @type {HTMLElement | null} */ (root.querySelector('a, button'))?.focus();

  function inside() {
    if (door === 'sign_in') return [h('h1', null, 'Sign in'), ways()];
    if (door === 'deactivated') {
      return [h('h1', null, 'This account is switched off'), h('p', null, 'Ask whoever looks after this workspace, or sign in as somebody else.'), ways()];
    }
    if (door === 'no_workspace') return [h('h1', null, 'There is no such workspace'), h('p', null, `This server has no workspace called “${workspace}”.`)];
    return [h('h1', null, 'The server does not answer'), h('p', null, 'This page tries again by itself.'), h('button', { class: 'large', onclick: again }, 'Try again now')];
  }

  function ways() {
    const to = encodeURIComponent(location.pathname + location.search);
    const byToken = { href: `/signin/${workspace}/token?to=${to}` };
    if (!byProvider) return h('a', { ...byToken, class: 'button primary large' }, 'Sign in with a token');
    return [
      h('a', { href: `/signin/${workspace}?to=${to}`, class: 'button primary large' }, 'Sign in with your organisation'),
      h('a', { ...byToken, class: 'button large' }, 'Sign in with a token'),
    ];
  }
}
