// `<offhook-messenger>`: its attributes, and a shadow in which the page's own style does nothing.

import { sheet } from './style.js';
import { Widget } from './widget.js';

/** @typedef {import('./widget.js').TokenSource} TokenSource */

export class OffhookMessenger extends HTMLElement {
  /** @type {Widget | undefined} */
  widget = undefined;

  connectedCallback() {
    this.widget ??= this.begun();
    this.widget.client.connect();
  }

  disconnectedCallback() {
    this.widget?.client.stop();
  }

  begun() {
    const given = (/** @type {string} */ name) => this.getAttribute(name) ?? undefined;
    /** @type {TokenSource | undefined} */
    const token = given('token') ?? /** @type {any} */ (window).offhookToken;
    const widget = new Widget({
      url: given('url') ?? location.origin,
      workspace: given('workspace') ?? '',
      token,
      customer: given('customer'),
      language: given('language') ?? '',
      theme: given('theme') ?? 'auto',
      start: given('position') === 'start',
      asked: (given('ask') ?? '').split(/[ ,]+/),
      title: given('heading'),
      greeting: given('greeting'),
    });
    const shadow = this.attachShadow({ mode: 'open' });
    shadow.adoptedStyleSheets = [sheet()];
    shadow.append(widget.frame.root);
    return widget;
  }

  open() {
    this.widget?.open();
  }

  close() {
    this.widget?.close();
  }

  /** A visitor has signed in: the conversation is now the known customer's. @param {TokenSource} token @param {string} [customer] */
  identify(token, customer) {
    return this.widget?.client.identify(token, customer);
  }

  /** This customer's tokens are void, and nothing of it stays in this browser. */
  signOut() {
    return this.widget?.client.signOut();
  }
}
