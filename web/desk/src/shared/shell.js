// What every page of the desk stands on: it finds out who works here, holds the client, says what the connection does, and draws the page anew
// when something changed. A page is given all of that and says what it shows.

import { AgentClient } from '../../../client/src/agent/client.js';
import { drawDoor } from './door_view.js';
import { openHelp } from './help.js';
import { icon } from './icons.js';
import { Keys } from './keys.js';
import { linkSaid } from './link.js';
import { announce, tidy } from './overlay.js';
import { Door } from './session.js';
import { Choices } from './settings.js';
import { h, redrawing, render } from './view.js';

/**
 * @typedef {import('./view.js').Kid} Kid
 * @typedef {import('./session.js').Session} Session
 * @typedef {import('../../../client/src/agent/state.js').AgentState} AgentState
 *
 * @typedef {object} Shell
 * @property {AgentClient} client
 * @property {Session} session
 * @property {Door} door
 * @property {string} workspace
 * @property {Choices} choices
 * @property {Keys} keys
 * @property {() => void} changed Asks for drawing, once for all that changes until then.
 * @property {() => void} draw Draws at once: where what is typed next must not go to where one was before.
 * @property {() => Kid} banner What the connection does: for the page to place.
 * @property {() => Promise<void>} signOut Ends the work of this agent on all devices, and forgets who it was.
 * @property {(path: string, init?: RequestInit) => Promise<Response>} api A call of `/v1/workspaces/{workspace}` as this agent.
 * @property {string} files Where the files of the pages are.
 *
 * @typedef {object} Page
 * @property {() => Kid} view
 * @property {() => void} [drawn] After each drawing.
 * @property {(state: AgentState, frame: any) => void} [heard] Before it is drawn.
 */

const TICK_MS = 1_000;
const AGAIN_MS = 5_000;

/**
 * @param {string} title
 * @param {(shell: Shell) => Page} make
 * @param {{ shared?: boolean }} [how] `shared`: whether tabs have one connection; not where each watches something else.
 */
export async function start(title, make, { shared = true } = {}) {
  const { workspace = '', files = '', provider } = document.documentElement.dataset;
  const root = /** @type {HTMLElement} */ (document.getElementById('app'));
  const choices = new Choices();
  const door = new Door(workspace);
  let asking = false;
  const go = async () => {
    // By itself and by a press at once, it is asked once.
    if (asking) return;
    asking = true;
    const found = await door.find();
    asking = false;
    if (!('door' in found)) {
      render(root);
      open(root, { workspace, files, choices, door, session: found, make, shared });
      return;
    }
    drawDoor(root, { door: found.door, workspace, title, byProvider: provider !== undefined, again: () => void go() });
    if (found.door === 'away') setTimeout(() => root.querySelector('.door') && void go(), AGAIN_MS);
  };
  await go();
}

/**
 * @param {HTMLElement} root
 * @param {{ workspace: string, files: string, choices: Choices, door: Door, session: Session, make: (shell: Shell) => Page, shared: boolean }} what
 */
function open(root, { workspace, files, choices, door, session, make, shared }) {
  const client = new AgentClient({ url: location.origin, token: session.token, shared });
  const keys = new Keys(() => choices.current.letters);
  /** @type {number | undefined} */
  let awaySince = client.now();
  let live = false;
  const changed = redrawing(draw);
  const { banner, say } = banners(() => linkSaid(client.state, client.now(), awaySince), {
    again: () => (client.stop(), void client.connect()),
    // Who is signed in after all goes on; who is not is at the door.
    sign_in: () => location.reload(),
  });
  /** @type {Shell} */
  const shell = {
    client,
    session,
    door,
    workspace,
    files,
    choices,
    keys,
    changed,
    draw,
    banner,
    signOut: async () => {
      // A server that cannot be reached hears of it when the sessions there end.
      if (client.state.link.phase === 'live') await client.signOut().catch(() => {});
      client.stop();
      await door.signOut();
    },
    api: (path, init = {}) => api(workspace, session, path, init),
  };
  keys.add({ keys: '?', what: 'This overview', group: 'Everywhere', run: () => openHelp(keys, choices) });
  const page = make(shell);
  function draw() {
    render(root, page.view());
    say();
    tidy();
    page.drawn?.();
  }
  client.subscribe((state, frame) => {
    const isLive = state.link.phase === 'live';
    if (isLive !== live) awaySince = isLive ? undefined : client.now();
    live = isLive;
    page.heard?.(state, frame);
    changed();
  });
  choices.listeners.add(changed);
  // What counts down, or says how long ago: a page that nobody sees need not.
  setInterval(() => document.visibilityState === 'visible' && changed(), TICK_MS);
  document.addEventListener('visibilitychange', changed);
  void client.connect();
  changed();
}

/**
 * @param {() => import('./link.js').Said | undefined} said
 * @param {Record<'again' | 'sign_in', () => void>} deeds
 */
function banners(said, deeds) {
  let last = '';
  const words = { again: 'Connect again', sign_in: 'Sign in' };
  return {
    banner: () => {
      const now = said();
      if (!now) return null;
      const { tone, text, deed } = now;
      return h('div', { class: `banner ${tone}` }, tone === 'bad' ? icon('alert') : h('span', { class: 'spinner' }), h('span', { class: 'text' }, text), deed && h('button', { onclick: deeds[deed] }, words[deed]));
    },
    // Read out when it begins and when it is over, not each second.
    say: () => {
      const now = said();
      const what = now ? (now.tone === 'bad' ? now.text : 'The connection is lost.') : '';
      if (what === last) return;
      if (what || last) announce(what || 'Connected again.');
      last = what;
    },
  };
}

/**
 * @param {string} workspace
 * @param {Session} session
 * @param {string} path
 * @param {RequestInit} init
 */
async function api(workspace, session, path, init) {
  const ask = async (/** @type {string} */ token) => {
    const headers = new Headers(init.headers);
    headers.set('Authorization', `Bearer ${token}`);
    return fetch(`/v1/workspaces/${workspace}${path}`, { ...init, headers });
  };
  const answer = await ask(await session.bearer(false));
  // It has ended meanwhile, or its role has changed.
  return answer.status === 401 ? ask(await session.bearer(true)) : answer;
}
