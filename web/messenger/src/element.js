// `<offhook-messenger>`: its attributes, what the workspace has set, and a shadow in which the page's own style does nothing.

import { sheet } from './style.js';
import { Widget } from './widget.js';
import { speak, withWords } from './words.js';

/**
 * @typedef {import('./widget.js').TokenSource} TokenSource
 * @typedef {{ heading?: string, greeting?: string, offline?: string }} Texts
 */

/** A server that is slow to say how it should look is not waited for longer. */
const PATIENCE_MS = 1_500;

export class OffhookMessenger extends HTMLElement {
  /** @type {Promise<Widget> | undefined} */
  begun = undefined;

  connectedCallback() {
    this.begun ??= this.begin();
    void this.begun.then(({ client }) => this.isConnected && client.connect());
  }

  disconnectedCallback() {
    void this.begun?.then(({ client }) => this.isConnected || client.stop());
  }

  async begin() {
    const given = (/** @type {string} */ name) => this.getAttribute(name) ?? undefined;
    const url = (given('url') ?? location.origin).replace(/\/+$/, '');
    const workspace = given('workspace') ?? '';
    const language = given('language');
    const wanted = [language ?? '', ...navigator.languages];
    const guess = speak(wanted);
    const words = withWords(url, guess);
    const set = await within(setOf(url, workspace), {});
    // Whoever put the tag says which language; what the workspace has set is for the rest.
    const spoken = language === undefined ? speak(wanted, set.languages) : guess;
    const said = await within(spoken.base === guess.base ? words : withWords(url, spoken), speak(['en']));
    /** @type {Texts} */
    const texts = { ...set.texts, ...set.by_language?.[said.base] };
    /** @type {TokenSource | undefined} */
    const token = given('token') ?? /** @type {any} */ (window).offhookToken;
    const widget = new Widget({
      url,
      workspace,
      token,
      customer: given('customer'),
      spoken: said,
      theme: given('theme') ?? 'auto',
      start: (given('position') ?? set.position) === 'start',
      asked: given('ask')?.split(/[ ,]+/) ?? set.ask ?? [],
      title: given('heading') ?? texts.heading,
      greeting: given('greeting') ?? texts.greeting,
      offline: texts.offline,
      accent: set.accent,
      accentText: set.accent_text,
      rating: set.rating ?? { scale: 'none', within_ms: 0 },
      files: set.files,
    });
    const shadow = this.attachShadow({ mode: 'open' });
    shadow.adoptedStyleSheets = [sheet()];
    shadow.append(widget.frame.root);
    return widget;
  }

  async open() {
    (await this.begun)?.open();
  }

  async close() {
    (await this.begun)?.close();
  }

  /** A visitor has signed in: the conversation is now the known customer's. @param {TokenSource} token @param {string} [customer] */
  async identify(token, customer) {
    return (await this.begun)?.client.identify(token, customer);
  }

  /** This customer's tokens are void, and nothing of it stays in this browser. */
  async signOut() {
    return (await this.begun)?.client.signOut();
  }
}

/**
 * What the workspace has set for all pages; nothing, where that cannot be had.
 * @param {string} url
 * @param {string} workspace
 * @returns {Promise<any>}
 */
async function setOf(url, workspace) {
  try {
    const response = await fetch(`${url}/v1/messenger/${encodeURIComponent(workspace)}/page`);
    return response.ok ? await response.json() : {};
  } catch {
    return {};
  }
}

/**
 * @template T
 * @param {Promise<T>} promise
 * @param {T} otherwise
 * @returns {Promise<T>}
 */
function within(promise, otherwise) {
  return Promise.race([promise, new Promise((done) => setTimeout(() => done(otherwise), PATIENCE_MS))]);
}
