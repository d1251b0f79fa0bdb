// What the script tag starts: the element is made known, and where the tag names a workspace, one is put into the page.

import { OffhookMessenger } from './element.js';

const tag = /** @type {HTMLScriptElement | null} */ (document.currentScript ?? document.querySelector('script[data-workspace][src*="/messenger.js"]'));

if (!customElements.get('offhook-messenger')) customElements.define('offhook-messenger', OffhookMessenger);

/** @param {HTMLScriptElement} tag */
function put({ src, dataset }) {
  if (document.querySelector('offhook-messenger')) return;
  const element = document.createElement('offhook-messenger');
  element.setAttribute('url', new URL(src).origin);
  for (const [name, value] of Object.entries(dataset)) element.setAttribute(name, value ?? '');
  document.body.append(element);
}

if (tag?.dataset.workspace) {
  // `async` may run before there is a body.
  if (document.body) put(tag);
  else document.addEventListener('DOMContentLoaded', () => put(tag));
}
