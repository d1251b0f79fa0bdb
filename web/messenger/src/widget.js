// What is behind the button: it shows what its client knows, and hands on what a person does.

import { MessengerClient } from '../../client/src/messenger/client.js';
import { reconcile } from './dom.js';
import { frame, say, valueOf } from './frame.js';
import { standing } from './standing.js';
import { rows } from './thread.js';
import { fill, speak } from './words.js';

/**
 * @typedef {import('../../client/src/messenger/state.js').MessengerState} MessengerState
 * @typedef {import('../../client/src/agent/link.js').TokenSource} TokenSource
 *
 * @typedef {object} Settings
 * @property {string} url
 * @property {string} workspace
 * @property {TokenSource} [token] Of a known customer.
 * @property {string} [customer] Who that is, where the token is a function.
 * @property {string} language
 * @property {string} theme `light`, `dark`, or what the system has.
 * @property {boolean} start At the start of a line's direction, and not at its end.
 * @property {string[]} asked `name`, `email`: before a conversation.
 * @property {string} [title]
 * @property {string} [greeting]
 */

const NEAR_PX = 60;

export class Widget {
  /** @param {Settings} settings */
  constructor({ url, workspace, token, customer, language, theme, start, asked, title, greeting }) {
    const spoken = speak([language, ...navigator.languages]);
    const { words } = (this.spoken = spoken);
    const hour = /** @type {const} */ ({ hour: 'numeric', minute: '2-digit' });
    this.hour = new Intl.DateTimeFormat(spoken.language, hour);
    this.day = new Intl.DateTimeFormat(spoken.language, { ...hour, weekday: 'short', day: 'numeric', month: 'short' });
    this.known = token !== undefined;
    this.client = new MessengerClient({ url, workspace, ...(token !== undefined && { token }), ...(customer !== undefined && { customer }) });
    this.key = `offhook|page|${url}|${workspace}`;
    this.isOpen = false;
    /** Which conversation is over for this page: what is written next begins another. */
    this.done = '';
    /** In which conversation an address was left. */
    this.reached = '';
    this.readTo = { conversation: '', number: 0 };
    this.sure = false;
    /** @type {Map<string, { is: string, node: HTMLElement }>} */
    this.shown = new Map();
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    const about = { ...spoken, title: title ?? words.title, greeting: greeting ?? words.hello, asked: this.known ? [] : asked, start };
    this.title = about.title;
    this.frame = frame(words, about, {
      toggle: () => (this.isOpen ? this.close() : this.open()),
      close: () => this.close(),
      end: () => this.end(),
      stay: () => this.mean(false),
      begin: () => this.begin(),
      earlier: () => void this.client.earlier(),
      typed: () => {
        this.remember();
        if (!this.isNew) this.client.typing();
      },
      pressed: (event) => this.pressed(event),
      submit: (event) => this.submit(event),
      reach: (email) => this.reach(email),
    });
    this.client.subscribe(() => this.render());
    document.addEventListener('visibilitychange', () => this.render());
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const paint = () => this.frame.root.classList.toggle('dark', theme === 'dark' || (theme !== 'light' && dark.matches));
    dark.addEventListener('change', paint);
    paint();
    this.recall();
    this.render();
  }

  /** @param {boolean} [focus] */
  open(focus = true) {
    this.isOpen = true;
    this.render();
    this.toEnd();
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

  /** There is no conversation, or one that is over for this page: nothing of it is shown. */
  get isFresh() {
    const { conversation } = this.client.state;
    return !conversation || conversation.conversation === this.done;
  }

  /** Nothing is under way either: what is written next begins a conversation. */
  get isNew() {
    return this.isFresh && !this.client.state.starting;
  }

  /** @param {Event} event */
  submit(event) {
    event.preventDefault();
    const { input, fields } = this.frame;
    const text = input.value.trim();
    if (!text) return;
    input.value = '';
    if (this.isNew) {
      const told = Object.fromEntries(fields.map((field) => [field.querySelector('input')?.name, valueOf(field)]));
      const { name, email } = told;
      const metadata = { page: location.pathname.slice(0, 200), language: this.spoken.language, ...(email && { email }) };
      void this.client.start({ text, ...(name && { name }), metadata });
    } else void this.client.send(text);
    this.remember();
    this.toEnd();
    input.focus();
  }

  /** When nobody is there, the only way is a message. @param {string} email */
  reach(email) {
    void this.client.send(this.spoken.words.mine.replace('{0}', email));
    this.reached = this.client.state.conversation?.conversation ?? '';
    this.remember();
    this.render();
    this.frame.input.focus();
  }

  /** @param {KeyboardEvent} event */
  pressed(event) {
    // 229: what Safari says of the Enter that ends a composition.
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    this.frame.form.requestSubmit();
  }

  /** @param {import('../../client/src/shared/outbox.js').Entry} entry */
  retry({ id, command }) {
    this.client.discard(id);
    const { type, text, name, metadata } = /** @type {any} */ (command);
    void (type === 'start' ? this.client.start({ text, name, metadata }) : this.client.send(text));
    this.frame.input.focus();
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
    const { root, launcher, badge, panel, fact, end, banner, hello, earlier, list, log, typing, fields, form, reach, again } = this.frame;
    const { words } = spoken;
    const { state } = client;
    const seen = isFresh ? { ...state, conversation: undefined, messages: [], happened: [] } : state;
    const time = (/** @type {number} */ at) => this.time(at);
    const now = standing(seen, client.now(), words, { language: spoken.language, time });
    const isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR_PX;
    const wanted = rows(seen, { words, time, again: (entry) => this.retry(entry), discard: (entry) => this.discard(entry) });
    reconcile(list, this.shown, wanted);
    hello.hidden = wanted.length > 0;
    earlier.hidden = seen.begins || seen.messages.length === 0 || seen.link.phase !== 'live';
    say(fact, now.fact);
    say(banner, now.banner);
    say(typing, now.typing);
    end.hidden = !now.goesOn;
    const wasIn = form.matches(':focus-within');
    form.hidden = now.isOver;
    again.hidden = !now.isOver;
    // Whoever was writing is not thrown out of the panel.
    if (wasIn && now.isOver) again.focus();
    reach.hidden = !now.isAlone || this.known || fields.length > 1 || this.reached === state.conversation?.conversation;
    for (const field of fields) {
      field.hidden = !isNew;
      // What is not asked need not be filled in.
      for (const input of field.querySelectorAll('input')) input.disabled = !isNew;
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
    const { isOpen, done, reached, frame } = this;
    try {
      sessionStorage.setItem(this.key, JSON.stringify({ isOpen, done, reached, draft: frame.input.value }));
    } catch {
      // Full, or forbidden to this page.
    }
  }

  recall() {
    try {
      const { isOpen, done, reached, draft } = JSON.parse(sessionStorage.getItem(this.key) ?? '{}');
      this.isOpen = isOpen === true;
      this.done = String(done ?? '');
      this.reached = String(reached ?? '');
      this.frame.input.value = String(draft ?? '');
    } catch {
      // It begins closed and empty.
    }
  }
}
