// Adding files to what is being written: by the clip, dropped on the panel, or pasted. What is added is on its way at once and shown over the field;
// sending waits for it.

import { Attachments, kindsOf, mayBeTriedAgain, pastedFiles, sized } from '../../client/src/pages/attachments.js';
import { FILES_MAX, upload } from '../../client/src/shared/files.js';

const CLIP = 'M20 11.5l-8.2 8.2a5 5 0 01-7-7L13 4.5a3.4 3.4 0 014.8 4.8l-8.2 8.2a1.7 1.7 0 01-2.4-2.4L14.7 7.6';
const PAPER = 'M6 3h8l4 4v14H6zM14 3v4h4';
const GONE = 'M6 6l12 12M18 6L6 18';
const ROUND = 'M19 12a7 7 0 11-2-5M19 3v4h-4';
const NEAR_END_PX = 60;

/**
 * @typedef {import('../../client/src/pages/attachments.js').Item} Item
 * @typedef {import('./later.js').Kit} Kit
 * @typedef {{ node: HTMLElement, how: HTMLElement, bar: HTMLProgressElement, again: HTMLElement }} Chip
 */

/**
 * @param {import('./widget.js').Widget} widget
 * @param {Kit} kit
 * @param {import('./later.js').AllWords} words
 * @param {import('../../client/src/shared/files.js').Reach} reach
 */
export function attach(widget, { make, icon, say, fill, reconcile }, words, reach) {
  const { client, frame, spoken, files: allowed } = widget;
  const { panel, form, input, log } = frame;
  const items = new Attachments({ upload: async (conversation, file, options) => upload(reach, conversation || (await begun(options.signal)), file, options), allowed: () => allowed, changed: draw });
  const accept = (allowed?.types ?? []).join();
  const pick = make('input', { type: 'file', multiple: true, hidden: true, accept, 'aria-label': words.attach, onchange: picked });
  const clip = make('button', { type: 'button', class: 'clip', 'aria-label': words.attach, title: words.attach, onclick: () => pick.click() }, icon(CLIP));
  const list = make('ul', { class: 'chips', 'aria-label': words.attach });
  const hint = make('div', { class: 'hint', role: 'status', hidden: true });
  const drop = make('div', { class: 'drop', hidden: true }, words.attach);
  /** @type {Parameters<typeof reconcile>[1]} */
  const shown = new Map();
  /** @type {Map<string, Chip>} */
  const chips = new Map();
  let left = 0;
  input.after(clip);
  form.prepend(list, hint);
  // Not in the form, where the first field gets the focus.
  panel.append(pick, drop);

  /** Which conversation it goes into; empty: the one that begins with it. */
  const id = () => (widget.isFresh ? '' : (client.state.conversation?.conversation ?? ''));

  /** Before there is a conversation nothing can be sent up. @param {AbortSignal | undefined} signal @returns {Promise<string>} */
  function begun(signal) {
    return new Promise((done, fail) => {
      const look = () => {
        if (!id() && !signal?.aborted) return;
        end();
        if (signal?.aborted) fail(signal.reason);
        else done(id());
      };
      const end = client.subscribe(look);
      signal?.addEventListener('abort', look);
    });
  }

  /** @param {readonly File[]} files */
  function add(files) {
    if (form.hidden || files.length === 0) return;
    left = items.add(id(), files);
    draw();
    input.focus();
  }

  function picked() {
    const { files } = pick;
    add([...(files ?? [])]);
    // The same one may be chosen again.
    pick.value = '';
  }

  // Also where nothing is taken: a file that is dropped beside it would take the place of the page.
  const dragged = (/** @type {DragEvent} */ event) => {
    if (!event.dataTransfer?.types.includes('Files')) return false;
    event.preventDefault();
    if (form.hidden) event.dataTransfer.dropEffect = 'none';
    return true;
  };
  panel.addEventListener('dragover', (event) => void (drop.hidden = !dragged(event) || form.hidden));
  panel.addEventListener('dragleave', ({ relatedTarget }) => void (drop.hidden ||= !panel.contains(/** @type {Node | null} */ (relatedTarget))));
  panel.addEventListener('drop', (event) => {
    drop.hidden = true;
    if (dragged(event)) add([...(event.dataTransfer?.files ?? [])]);
  });
  input.addEventListener('paste', (event) => {
    const files = pastedFiles(event.clipboardData);
    if (files.length === 0) return;
    event.preventDefault();
    add(files);
  });
  // Before the widget, which sends only where there is a text.
  panel.addEventListener(
    'submit',
    (event) => {
      const conversation = id();
      // What is left for later is a message with words.
      if (event.target !== form || items.of(conversation).length === 0 || (widget.leaves && !input.value.trim())) return;
      event.stopPropagation();
      // A conversation begins with the text, if there is one, and the files follow.
      if (widget.isNew) widget.submit(event, true);
      else event.preventDefault();
      items.whenUp(conversation, send);
      input.focus();
    },
    true,
  );

  /** @param {import('../../client/src/shared/files.js').Attached[]} files */
  function send(files) {
    const text = input.value.trim();
    if (!text && files.length === 0) return;
    input.value = '';
    left = 0;
    void client.send(text, files.length > 0 ? files : undefined);
    widget.remember();
    widget.toEnd();
  }

  function draw() {
    const conversation = id();
    const all = items.of(conversation);
    // Whoever saw the last that was said still does.
    const isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR_END_PX;
    list.hidden = all.length === 0;
    reconcile(list, shown, all.map((one) => ({ key: one.id, is: '', make: () => chipOf(one) })));
    for (const one of all) update(one);
    const some = left > 0 ? fill(words.files_max, FILES_MAX) : '';
    say(hint, items.isWaiting(conversation) ? words.unsent : some);
    if (isAtEnd) widget.toEnd();
  }

  /** @param {Item} one */
  function chipOf({ id, name, address }) {
    const how = make('span', { class: 'how', role: 'status' });
    const bar = make('progress', { max: '1', value: '0', 'aria-label': name });
    const again = make('button', { type: 'button', 'aria-label': `${words.again}: ${name}`, onclick: () => items.again(id) }, icon(ROUND));
    const gone = make('button', { type: 'button', 'aria-label': fill(words.remove, name), onclick: () => (items.remove(id), input.focus()) }, icon(GONE));
    const thumb = address ? make('img', { class: 'thumb', src: address, alt: '' }) : make('span', { class: 'thumb' }, icon(PAPER));
    // The page's policy may have no `blob:` for pictures.
    thumb.addEventListener('error', () => thumb.replaceWith(make('span', { class: 'thumb' }, icon(PAPER))));
    const node = make('li', { class: 'chip' }, thumb, make('span', { class: 'about' }, make('span', { class: 'name', title: name }, make('bdi', {}, name)), how, bar), again, gone);
    chips.set(id, { node, how, bar, again });
    return node;
  }

  /** @param {Item} one */
  function update(one) {
    const chip = chips.get(one.id);
    if (!chip) return;
    const { state, sent, file } = one;
    chip.node.className = `chip ${state}`;
    chip.again.hidden = !mayBeTriedAgain(one);
    chip.bar.hidden = state !== 'going' && state !== 'waits';
    chip.bar.value = file.size > 0 ? sent / file.size : 0;
    const size = sized(file.size, spoken.language);
    say(chip.how, state === 'refused' ? why(one.error) : state === 'waits' ? `${size} · ${client.state.link.phase === 'live' ? words.kept : words.waits}` : size);
  }

  /** @param {Item['error']} error */
  function why({ code, field, max_bytes, allowed: types } = { code: '', message: '' }) {
    if (code === 'too_large' || code === 'http_413') return fill(words.file_large, sized(max_bytes ?? allowed?.max_bytes ?? 0, spoken.language));
    // By itself: names of kinds run from left to right in every language, and so does their list.
    if (field === 'type') return fill(words.file_kind, `\u2068${kindsOf(types ?? allowed?.types ?? [])}\u2069`);
    return code === 'file_refused' ? words.file_scan : words.refused;
  }

  client.subscribe(() => {
    const conversation = id();
    if (conversation && items.of('').length > 0) items.move('', conversation);
    // Refused, one without words is shown nowhere else.
    const refused = client.state.pending.find(({ command, state }) => command.type === 'start' && command.text === undefined && state === 'refused');
    if (refused) {
      items.waiting.delete('');
      client.discard(refused.id);
    }
    items.keepOnly((one) => one === conversation);
    for (const one of chips.keys()) if (!items.items.some(({ id }) => id === one)) chips.delete(one);
    draw();
  });
  draw();
}
