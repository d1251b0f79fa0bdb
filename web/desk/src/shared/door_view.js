// What is there for somebody who is not signed in: the way to the sign-in page, or, where this server has none, a field for a token.

import { h, render } from './view.js';
import { whoOf } from './session.js';

/**
 * @param {Element} root
 * @param {object} what
 * @param {import('./session.js').AtTheDoor} what.door
 * @param {string} what.workspace
 * @param {string} what.title Of the page.
 * @param {(token: string) => void} what.give
 * @param {() => void} what.signIn
 * @param {() => void} what.again
 */
export function drawDoor(root, { door, workspace, title, give, signIn, again }) {
  let typed = door.offered ?? '';
  let fault = '';
  const go = (/** @type {Event} */ event) => {
    event.preventDefault();
    const who = whoOf(typed.trim());
    fault = !who ? 'This is no token.' : who.workspace !== workspace ? `This token is for the workspace ${who.workspace || '?'}.` : who.exp <= Date.now() ? 'This token has ended.' : '';
    if (!fault) return give(typed.trim());
    draw();
    root.querySelector('textarea')?.focus();
  };
  const draw = () => render(root, h('main', { class: 'door' }, h('div', { class: 'card' }, h('p', { class: 'kind' }, `${title} · ${workspace}`), inside())));
  const inside = () => {
    const offered = door.offered ? whoOf(door.offered) : undefined;
    if (offered && offered.workspace === workspace && offered.exp > Date.now()) {
      // By a press, so that no link signs anybody in by itself. (And from then on the page may make a sound.)
      return [
        h('h1', null, 'Go on as ', h('bdi', null, offered.title)),
        h('p', null, 'The address had a token of this agent in it.'),
        h('button', { class: 'primary large', 'data-first': true, onclick: () => give(door.offered ?? '') }, 'Go on'),
      ];
    }
    if (door.door === 'sign_in') return [h('h1', null, 'Sign in'), h('button', { class: 'primary large', onclick: signIn }, 'Sign in')];
    if (door.door === 'deactivated') {
      return [h('h1', null, 'This account is switched off'), h('p', null, 'Ask whoever looks after this workspace.'), h('button', { class: 'large', onclick: signIn }, 'Sign in as somebody else')];
    }
    if (door.door === 'no_workspace') return [h('h1', null, 'There is no such workspace'), h('p', null, `This server has no workspace called “${workspace}”.`)];
    if (door.door === 'away') {
      return [h('h1', null, 'The server does not answer'), h('p', null, 'This page tries again by itself.'), h('button', { class: 'large', onclick: again }, 'Try again now')];
    }
    return [
      h('h1', null, 'Sign in with a token'),
      h(
        'form',
        { onsubmit: go },
        h('label', { for: 'token' }, 'An agent’s token for this workspace'),
        h('textarea', { id: 'token', rows: 4, spellcheck: 'false', autocomplete: 'off', 'aria-invalid': fault ? 'true' : undefined, 'aria-describedby': 'token_fault', value: typed, oninput: (/** @type {any} */ { target }) => (typed = target.value) }),
        h('p', { id: 'token_fault', class: 'fault', role: 'alert' }, fault),
        h('button', { class: 'primary large', type: 'submit' }, 'Sign in'),
        h('p', { class: 'dim small' }, 'Whoever runs the server makes one with ', h('code', null, 'offhook token'), '. It is kept for as long as this tab is open.'),
      ),
    ];
  };
  draw();
  /** @type {HTMLElement | null} */ (root.querySelector('[data-first], textarea, button'))?.focus();
}
