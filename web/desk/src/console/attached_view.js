// Files as a thread shows them: pictures in their place, read when they come near and large when they are pressed; everything else, and what cannot
// be shown, as a row to download.

import { kindsOf, plain, sized } from '../../../client/src/pages/attachments.js';
import { PICTURES } from '../../../client/src/shared/files.js';
import { placeOf, saveFile } from '../../../client/src/pages/pictures.js';
import { icon } from '../shared/icons.js';
import { openDialog, toast } from '../shared/overlay.js';
import { h } from '../shared/view.js';
import { refusal } from './words.js';

/**
 * @typedef {import('./app.js').App} App
 * @typedef {import('../../../client/src/shared/files.js').Attached} Attached
 */

const MOST = { width: 320, height: 280, least: 48 };

/** Of what is not answered yet. @param {Record<string, any>} command @returns {Attached[] | undefined} */
export const filesOf = ({ files }) => files;

/**
 * @param {App} app
 * @param {string} conversation
 * @param {readonly Attached[] | undefined} files
 */
export function attachedView(app, conversation, files) {
  if (!files?.length) return null;
  return h('ul', { class: 'files', 'aria-label': 'Files' }, files.map((one) => h('li', { key: one.file }, fileView(app, conversation, { ...one, name: plain(one.name) || kindsOf([one.type]) }))));
}

/** @param {App} app @param {string} conversation @param {Attached} one */
function fileView(app, conversation, one) {
  const { name, bytes } = one;
  const row = [icon('paper'), h('span', { class: 'about' }, h('span', { class: 'one-line' }, h('bdi', null, name)), ' ', h('span', { class: 'how' }, sized(bytes))), icon('download')];
  const download = () => void app.deed(`file ${one.file}`, async () => saveFile(await app.client.readFile(conversation, one.file), name));
  if (!PICTURES.has(one.type)) return h('button', { type: 'button', class: 'file', 'aria-label': `Download ${name} ${sized(bytes)}`, onclick: download }, row);
  const { width, height } = placeOf(one, MOST);
  // Where it cannot be shown, the row that is behind it is.
  const lost = (/** @type {HTMLElement} */ node) => {
    node.classList.add('lost');
    node.setAttribute('aria-label', `Download ${name} ${sized(bytes)}`);
  };
  return h(
    'button',
    {
      type: 'button',
      class: 'file pic',
      'aria-label': `Open ${name}`,
      style: { '--width': `${width}px`, '--shape': `${width} / ${height}` },
      ref: (/** @type {HTMLElement} */ node) => app.pictures.show(/** @type {HTMLImageElement} */ (node.querySelector('img')), { conversation, file: one.file }, () => lost(node)),
      onclick: (/** @type {any} */ { currentTarget }) => (currentTarget.classList.contains('lost') ? download() : openLarge(app, conversation, one)),
    },
    h('img', { alt: '' }),
    row,
  );
}

/** @param {App} app @param {string} conversation @param {Attached} one */
function openLarge(app, conversation, one) {
  const which = { conversation, file: one.file };
  /** @type {HTMLImageElement | undefined} */
  let image;
  const user = {
    ready: (/** @type {string} */ address) => void (image && (image.src = address)),
    failed: (/** @type {any} */ error) => (toast(refusal(error?.error), { bad: true }), dialog.close()),
  };
  const dialog = openDialog({
    title: one.name,
    kind: 'large',
    body: () => h('img', { alt: one.name, width: one.width, height: one.height, ref: (/** @type {HTMLImageElement} */ node) => (image = node) }),
    foot: () => h('button', { 'data-first': true, onclick: () => void app.deed(`file ${one.file}`, async () => saveFile(await app.client.readFile(conversation, one.file), one.name)) }, icon('download'), 'Download'),
    closed: () => app.pictures.leave(which, user),
  });
  app.pictures.use(which, user);
}
