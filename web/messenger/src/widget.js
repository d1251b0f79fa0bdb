// What is behind the button: it shows what its client knows, and hands on what a person does.

import { MessengerClient } from '../../client/src/messenger/client.js';
import { icon, make, reconcile } from './dom.js';
import { field, frame, say, valueOf } from './frame.js';
import { standing, welcome } from './standing.js';
import { rows } from './thread.js';
import { fill } from './words.js';

/**
 * @typedef {import('../../client/src/messenger/state.js').MessengerState} MessengerState
 * @typedef {import('../../client/src/agent/link.js').TokenSource} TokenSource
 *
 * @typedef {object} Settings
 * @property {string} url
 * @property {string} workspace
 * @property {TokenSource} [token] Of a known customer.
 * @property {string} [customer] Who that is, where the token is a function.
 * @property {import('./words.js').Spoken} spoken
 * @property {string} theme `light`, `dark`, or what the system has.
 * @property {boolean} start At the start of a line's direction, and not at its end.
 * @property {string[]} asked `name`, `email`: before a conversation.
 * @property {string} [title]
 * @property {string} [greeting]
 * @property {string} [offline] In place of the greeting, while nothing can be begun.
 * @property {string} [accent]
 * @property {string} [accentText]
 * @property {{ scale: 'none' | 'two' | 'five', within_ms: number }} rating
 * @property {import('../../client/src/shared/files.js').Allowed} [files] Absent: none are taken.
 */

const NEAR_PX = 60;
/** Then a message may be left, where the workspace takes one. */
const FOR_NOW = new Set(['nobody_there', 'queue_closed', 'queue_full', 'queue_draining']);
/** What is written to such a conversation begins another. */
const OVER = new Set(['wrong_state', 'no_such_conversation']);

export class Widget {
  /** @param {Settings} settings */
  constructor({ url, workspace, token, customer, spoken, theme, start, asked, title, greeting, offline, accent, accentText, rating, files }) {
    const { words } = (this.spoken = spoken);
    const hour = /** @type {const} */ ({ hour: 'numeric', minute: '2-digit' });
    this.hour = new Intl.DateTimeFormat(spoken.language, hour);
    this.day = new Intl.DateTimeFormat(spoken.language, { ...hour, weekday: 'short', day: 'numeric', month: 'short' });
    this.url = url;
    this.known = token !== undefined;
    this.asked = this.known ? [] : asked;
    this.own = { greeting: greeting ?? words.hello, offline };
    this.rating = rating;
    this.files = files;
    this.client = new MessengerClient({ url, workspace, ...(token !== undefined && { token }), ...(customer !== undefined && { customer }) });
    this.key = `offhook|page|${url}|${workspace}`;
    this.isOpen = false;
    /** Which conversation is over for this page: what is written next begins another. */
    this.done = '';
    /** In which conversation an address was left, and what was said of who writes. */
    this.reached = '';
    this.said = { name: '', email: '' };
    /** Who is there, as it was when the panel was opened. @type {import('../../client/src/messenger/state.js').Reception | undefined} */
    this.reception = undefined;
    /** @type {ReturnType<typeof import('./later.js').later> | undefined} */
    this.later = undefined;
    /** @type {import('./thread.js').Telling['attached']} */
    this.attached = undefined;
    this.isFetched = false;
    this.readTo = { conversation: '', number: 0 };
    this.sure = false;
    /** @type {Map<string, { is: string, node: HTMLElement }>} */
    this.shown = new Map();
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    this.title = title ?? words.title;
    this.frame = frame(words, { ...spoken, title: this.title, start }, {
      toggle: () => (this.isOpen ? this.close() : this.open()),
      close: () => this.close(),
      end: () => this.end(),
      stay: () => this.mean(false),
      earlier: () => void this.client.earlier(),
      typed: () => {
        this.remember();
        if (!this.isNew) this.client.typing();
      },
      pressed: (event) => this.pressed(event),
      submit: (event) => this.submit(event),
      begin: () => this.begin(),
    });
    const { root } = this.frame;
    if (accent) root.style.setProperty('--set', accent);
    if (accentText) root.style.setProperty('--on-set', accentText);
    this.client.subscribe(() => this.render());
    document.addEventListener('visibilitychange', () => this.render());
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const paint = () => root.classList.toggle('dark', theme === 'dark' || (theme !== 'light' && dark.matches));
    dark.addEventListener('change', paint);
    paint();
    this.recall();
    this.render();
    if (this.isOpen) void this.look();
  }

  /** @param {boolean} [focus] */
  open(focus = true) {
    this.isOpen = true;
    this.render();
    this.toEnd();
    void this.look();
    const { form, log } = this.frame;
    /** @type {HTMLElement | null} */
    const first = form.hidden ? log : form.querySelector('input:enabled, textarea');
    if (focus) first?.focus();
    this.remember();
  }

  close() {
    this.isOpen = false;
    this.render();
    this.frame.launcher.focus();
    this.remember();
  }

  get about() {
    return { page: location.pathname.slice(0, 200), language: this.spoken.language };
  }

  /** Whether anybody is there, before anything is begun. */
  async look() {
    if (!this.isNew) return;
    try {
      this.reception = await this.client.reception(this.about);
      this.render();
    } catch {
      // Then a start will say.
    }
  }

  /** @param {boolean} sure */
  mean(sure) {
    this.sure = sure;
    const { words } = this.spoken;
    this.frame.end.textContent = sure ? words.sure : words.end;
  }

  end() {
    if (!this.sure) return this.mean(true);
    this.mean(false);
    void this.client.leave();
    this.frame.log.focus();
  }

  begin() {
    const { conversation, link } = this.client.state;
    if (link.phase === 'stopped') this.client.forget();
    this.done = conversation?.conversation ?? '';
    this.render();
    this.open();
  }

  /** What is not needed before there is a conversation, or files may be added. */
  async fetchMore() {
    if (this.isFetched) return;
    this.isFetched = true;
    try {
      /** @type {typeof import('./later.js')} */
      const { later } = await import(`${this.url}/messenger/later.js`);
      this.later = later(this, { make, icon, say, field, valueOf, fill, reconcile });
      this.render();
    } catch {
      // Then without: everything else goes on.
    }
  }

  /** There is no conversation, or one that is over for this page: nothing of it is shown. */
  get isFresh() {
    const { conversation } = this.client.state;
    return !conversation || conversation.conversation === this.done;
  }

  /** Nothing is under way either: what is written next begins a conversation. */
  get isNew() {
    return this.isFresh && !this.client.state.starting;
  }

  /** What is written now is a message that is left. */
  get leaves() {
    return this.isNew && this.reception?.message === true;
  }

  /** @param {Event} event @param {boolean} [bare] Begins a conversation without a text. */
  submit(event, bare = false) {
    event.preventDefault();
    const { input, fields } = this.frame;
    const text = input.value.trim();
    if (!text && !bare) return;
    input.value = '';
    if (this.isNew) {
      const of = (/** @type {HTMLLabelElement} */ field) => (field.hidden ? '' : valueOf(field));
      this.said = { name: of(fields.name), email: of(fields.email) };
      this.begun(text, this.leaves);
    } else void this.client.send(text);
    this.remember();
    this.toEnd();
    input.focus();
  }

  /** @param {string} text @param {boolean} or_message */
  begun(text, or_message) {
    const { name, email } = this.said;
    const metadata = { ...this.about, ...(email && { email }) };
    // Refused for now: who is there is another question than before.
    this.client.start({ ...(text && { text }), ...(name && { name }), metadata, ...(or_message && { or_message }) }).catch(() => void this.look());
  }

  /** @param {KeyboardEvent} event */
  pressed(event) {
    // 229: what Safari says of the Enter that ends a composition.
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    this.frame.form.requestSubmit();
  }

  /** @param {import('../../client/src/shared/outbox.js').Entry} entry */
  async retry({ id, command, error }) {
    this.client.discard(id);
    const { type, text, name, metadata, files } = /** @type {any} */ (command);
    const { input } = this.frame;
    input.focus();
    if (type !== 'start' && OVER.has(error?.code ?? '')) {
      this.done = this.client.state.conversation?.conversation ?? '';
      return this.begun(text, false);
    }
    if (type !== 'start') return void this.client.send(text, files);
    if (FOR_NOW.has(error?.code ?? '')) {
      await this.look();
      if (this.leaves && !this.known && !metadata?.email) {
        // It goes as a message, once it is known where to answer.
        input.value = text;
        return this.open();
      }
    }
    void this.client.start({ text, name, metadata, ...(this.leaves && { or_message: true }) });
  }

  /** @param {import('../../client/src/shared/outbox.js').Entry} entry */
  discard({ id }) {
    this.client.discard(id);
    this.frame.input.focus();
  }

  /** @param {number} at Unix ms. */
  time(at) {
    const date = new Date(at);
    return (date.toDateString() === new Date().toDateString() ? this.hour : this.day).format(date);
  }

  toEnd() {
    const { log } = this.frame;
    log.scrollTop = log.scrollHeight;
  }

  render() {
    const { client, spoken, isOpen, isNew, isFresh } = this;
    const { root, launcher, badge, panel, fact, end, banner, hello, earlier, list, log, typing, fields, form, again } = this.frame;
    const { words } = spoken;
    const { state } = client;
    const seen = isFresh ? { ...state, conversation: undefined, messages: [], happened: [] } : state;
    const time = (/** @type {number} */ at) => this.time(at);
    const speaking = { language: spoken.language, time };
    const now = standing(seen, client.now(), words, speaking);
    const isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR_PX;
    const wanted = rows(seen, { words, time, again: (entry) => void this.retry(entry), discard: (entry) => this.discard(entry), attached: this.attached, typing: now.typing !== '' });
    reconcile(list, this.shown, wanted);
    say(hello, wanted.length > 0 ? '' : welcome(isNew ? this.reception : undefined, this.own, words, speaking));
    earlier.hidden = seen.begins || seen.messages.length === 0 || seen.link.phase !== 'live';
    say(fact, now.fact);
    if (isOpen && (this.files || seen.conversation)) void this.fetchMore();
    say(banner, now.banner || (this.later?.(now, seen) ?? ''));
    say(typing, now.typing);
    end.hidden = !now.goesOn;
    const wasIn = form.matches(':focus-within');
    form.hidden = now.isOver;
    again.hidden = !now.isOver;
    // Whoever was writing is not thrown out of the panel.
    if (wasIn && now.isOver) again.focus();
    for (const name of /** @type {const} */ (['name', 'email'])) {
      const field = fields[name];
      const asks = isNew && !this.known && (this.asked.includes(name) || (name === 'email' && this.leaves));
      field.hidden = !asks;
      // What is not asked need not be filled in.
      for (const input of field.querySelectorAll('input')) input.disabled = !asks;
    }
    panel.hidden = !isOpen;
    root.classList.toggle('open', isOpen);
    launcher.setAttribute('aria-expanded', String(isOpen));
    const unread = this.unread(state);
    say(badge, unread > 0 ? String(unread) : '');
    launcher.setAttribute('aria-label', unread > 0 ? `${this.title}. ${fill(words.unread, unread)}` : this.title);
    if (isAtEnd) this.toEnd();
    clearTimeout(this.timer);
    // Whoever has stopped typing says nothing of it.
    if (now.typing) this.timer = setTimeout(() => this.render(), state.typing_until - client.now() + 1);
  }

  /** Reads what is in sight, and counts what is not. @param {MessengerState} state */
  unread({ conversation, messages }) {
    if (!conversation) return 0;
    const mine = this.readTo.conversation === conversation.conversation ? this.readTo.number : 0;
    const read = Math.max(conversation.read_by_customer, mine);
    const unread = messages.filter(({ number, author }) => author !== 'customer' && number > read);
    const last = unread.at(-1);
    if (!last || !this.isOpen || document.visibilityState === 'hidden') return unread.length;
    this.readTo = { conversation: conversation.conversation, number: last.number };
    void this.client.read(last.number);
    return 0;
  }

  /** What this tab had open and half written outlives a reload. */
  remember() {
    const { isOpen, done, reached, said, frame } = this;
    try {
      sessionStorage.setItem(this.key, JSON.stringify({ isOpen, done, reached, said, draft: frame.input.value }));
    } catch {
      // Full, or forbidden to this page.
    }
  }

  recall() {
    try {
      const { isOpen, done, reached, said, draft } = JSON.parse(sessionStorage.getItem(this.key) ?? '{}');
      this.isOpen = isOpen === true;
      this.done = String(done ?? '');
      this.reached = String(reached ?? '');
      this.said = { name: String(said?.name ?? ''), email: String(said?.email ?? '') };
      this.frame.input.value = String(draft ?? '');
    } catch {
      // It begins closed and empty.
    }
  }
}
