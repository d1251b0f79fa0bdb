// Files as they are shown in messages: pictures in their place, large when they are pressed; everything else as a row to download.

import { kindsOf, plain, sized } from '../../client/src/pages/attachments.js';
import { PICTURES, readFile } from '../../client/src/shared/files.js';
import { Pictures, placeOf, saveFile } from '../../client/src/pages/pictures.js';

const MOST = { width: 240, height: 260, least: 48 };
const SHEET = 'M6 3h8l4 4v14H6zM14 3v4h4M9 12h6M9 16h6';
const DOWN = 'M12 4v11M7 10.5l5 5 5-5M5 20h14';
const SHUT = 'M6 6l12 12M18 6L6 18';

/** @typedef {import('../../client/src/shared/files.js').Attached} Attached */

/**
 * @param {import('./widget.js').Widget} widget
 * @param {import('./later.js').Kit} kit
 * @param {import('./later.js').AllWords} words
 * @param {import('../../client/src/shared/files.js').Reach} reach
 * @returns {(files: readonly Attached[]) => HTMLElement}
 */
export function attached({ client, frame, spoken }, { make, icon, fill }, words, reach) {
  const pictures = new Pictures((conversation, file, options) => readFile(reach, conversation, file, options));

  // Of a conversation that is forgotten, or another's, nothing stays.
  let of = client.state.conversation?.conversation;
  client.subscribe(({ conversation }) => {
    if (conversation?.conversation !== of) pictures.clear();
    of = conversation?.conversation;
  });

  /** @param {string} conversation @param {Attached} one */
  function picture(conversation, one) {
    const { width, height } = placeOf(one, MOST);
    const image = make('img', { alt: '' });
    const made = make('button', { class: 'pic', type: 'button', 'aria-label': fill(words.open, one.name), onclick: () => open(conversation, one, made) }, image);
    made.style.inlineSize = `${width}px`;
    made.style.aspectRatio = `${width} / ${height}`;
    pictures.show(image, { conversation, file: one.file }, () => made.replaceWith(row(conversation, one)));
    return made;
  }

  /** @param {string} conversation @param {Attached} one */
  function row(conversation, one) {
    const size = sized(one.bytes, spoken.language);
    const how = make('span', { class: 'how' }, size);
    const made = make('button', { class: 'file', type: 'button', 'aria-label': fill(words.download, `${one.name} ${size}`) });
    made.append(icon(SHEET), make('span', { class: 'about' }, make('span', { class: 'name' }, make('bdi', {}, one.name)), ' ', how), icon(DOWN));
    made.addEventListener('click', async () => {
      if (made.ariaBusy === 'true') return;
      made.ariaBusy = 'true';
      try {
        saveFile(await readFile(reach, conversation, one.file), one.name);
      } catch {
        made.classList.add('lost');
        how.textContent = words.lost;
        how.role = 'status';
      }
      made.ariaBusy = 'false';
    });
    return made;
  }

  /** @param {string} conversation @param {Attached} one @param {HTMLElement} from Where the focus goes back to. */
  function open(conversation, one, from) {
    const which = { conversation, file: one.file };
    const image = make('img', { alt: one.name, ...(one.width && { width: `${one.width}` }), ...(one.height && { height: `${one.height}` }) });
    const user = { ready: (/** @type {string} */ address) => void (image.src = address), failed: () => large.close() };
    const shut = make('button', { type: 'button', 'aria-label': words.close, onclick: () => large.close() }, icon(SHUT));
    const down = make('button', { type: 'button', 'aria-label': fill(words.download, one.name), onclick: async () => saveFile(await readFile(reach, conversation, one.file), one.name) }, icon(DOWN));
    const space = make('div', { class: 'space' }, image);
    const large = make('dialog', { class: 'large', 'aria-label': one.name }, make('div', { class: 'bar' }, make('span', { class: 'name' }, make('bdi', {}, one.name)), down, shut), space);
    space.addEventListener('click', ({ target }) => target === space && large.close());
    // Closes what lies over the panel, and not the panel.
    large.addEventListener('keydown', (event) => event.key === 'Escape' && event.stopPropagation());
    large.addEventListener('close', () => {
      pictures.leave(which, user);
      large.remove();
      from.focus();
    });
    frame.root.append(large);
    large.showModal();
    shut.focus();
    pictures.use(which, user);
  }

  return (files) => {
    const conversation = client.state.conversation?.conversation ?? '';
    const named = files.map((one) => ({ ...one, name: plain(one.name) || kindsOf([one.type]) }));
    const shown = named.map((one) => (PICTURES.has(one.type) ? picture(conversation, one) : row(conversation, one)));
    return make('div', { class: 'files' }, ...shown);
  };
}
