// How an offer is noticed by somebody who looks elsewhere: a tone, a notification on the desktop, the title and the icon of the tab. And what
// makes an offer *delivered*: that it was painted where it can be seen, or that a notification was raised. Nothing else does.

import { announce } from '../shared/overlay.js';
import { nameOf, oneLine } from './order.js';
import { saidIn, title } from './words.js';

const RING_EACH_MS = 4_000;
/** Two tones, in Hz, and when they begin. */
const TONES = [
  [659.25, 0],
  [880, 0.16],
];

export class Alerts {
  /** @param {import('./app.js').App} app */
  constructor(app) {
    this.app = app;
    /** Offers that were announced here. @type {Set<string>} */
    this.known = new Set();
    /** Offers that are confirmed, or being confirmed. @type {Set<string>} */
    this.confirmed = new Set();
    /** @type {Map<string, Notification>} */
    this.raised = new Map();
    /** @type {AudioContext | undefined} */
    this.audio = undefined;
    this.rangAt = -Infinity;
    this.title = document.title;
    /** As the browser has it; asking it anew takes a while, so not with each drawing. @type {NotificationPermission | undefined} */
    this.permission = undefined;
    this.lookUp();
    /** Messages that came while nobody looked. */
    this.unseen = 0;
    // A page may make no sound before somebody has touched it.
    for (const event of ['pointerdown', 'keydown']) addEventListener(event, () => void this.audio?.resume(), { passive: true });
    setInterval(() => this.tick(), 1_000);
    addEventListener('focus', () => this.looked());
    document.addEventListener('visibilitychange', () => this.looked());
  }

  lookUp() {
    this.permission = 'Notification' in globalThis ? Notification.permission : undefined;
  }

  /** By a click, and by nothing else. */
  async askPermission() {
    await Notification.requestPermission();
    this.lookUp();
    this.app.changed();
  }

  looked() {
    this.lookUp();
    if (document.visibilityState === 'hidden') return;
    this.unseen = 0;
    this.mark();
  }

  /**
   * @param {import('../../../client/src/agent/state.js').AgentState} state
   * @param {import('../../../client/src/agent/state.js').AgentState} before
   */
  heard(state, before) {
    if (state.offers === before.offers) return;
    for (const [id, { conversation, transfer }] of Object.entries(state.offers)) {
      if (this.known.has(id)) continue;
      this.known.add(id);
      const from = transfer ? `${transfer.from} gives you a conversation` : `Offer in ${title(conversation.queue)}`;
      announce(`${from}: ${nameOf(conversation)}, ${conversation.channel}.`, 'assertive');
      this.notify(id, from, nameOf(conversation));
      this.ring();
    }
    for (const [id, notification] of this.raised) {
      if (state.offers[id]) continue;
      notification.close();
      this.raised.delete(id);
    }
    for (const id of this.known) {
      if (state.offers[id]) continue;
      this.known.delete(id);
      this.confirmed.delete(id);
    }
    this.mark();
  }

  /** A customer wrote. @param {{ conversation: string, text: string, files?: { name: string }[] }} frame */
  wrote({ conversation, text, files }) {
    if (document.visibilityState !== 'hidden') return;
    this.unseen += 1;
    this.mark();
    const body = oneLine(saidIn({ text, ...(files && { files }) }));
    this.raise(`message ${conversation}`, this.app.nameOf(conversation), body, () => this.app.open(conversation));
  }

  /** Rings again while an offer waits. */
  tick() {
    const waits = Object.keys(this.app.state.offers).some((id) => !this.app.answered.has(id));
    if (waits && performance.now() - this.rangAt >= RING_EACH_MS) this.ring();
  }

  ring() {
    const { sound, volume } = this.app.shell.choices.current;
    this.rangAt = performance.now();
    if (sound && volume > 0) this.play(volume);
  }

  /** @param {number} volume 0 to 100. */
  play(volume) {
    try {
      const audio = (this.audio ??= new AudioContext());
      void audio.resume();
      for (const [hz = 0, begins = 0] of TONES) {
        const [tone, gain, at] = [audio.createOscillator(), audio.createGain(), audio.currentTime + begins];
        tone.type = 'sine';
        tone.frequency.value = hz;
        gain.gain.setValueAtTime(0, at);
        gain.gain.linearRampToValueAtTime((volume / 100) * 0.35, at + 0.015);
        gain.gain.exponentialRampToValueAtTime(0.0005, at + 0.5);
        tone.connect(gain).connect(audio.destination);
        tone.start(at);
        tone.stop(at + 0.55);
      }
    } catch {
      // No sound here: there is all the rest.
    }
  }

  /**
   * While the page cannot be seen.
   * @param {string} id
   * @param {string} heading
   * @param {string} body
   */
  notify(id, heading, body) {
    if (document.visibilityState !== 'hidden') return;
    const notification = this.raise(`offer ${id}`, heading, body, () => this.app.changed());
    if (!notification) return;
    this.raised.set(id, notification);
    // It was asked for; that it is there the browser says.
    notification.onshow = () => this.confirm(id);
  }

  /**
   * @param {string} tag
   * @param {string} heading
   * @param {string} body
   * @param {() => void} go
   * @returns {Notification | undefined}
   */
  raise(tag, heading, body, go) {
    if (!this.app.shell.choices.current.notifications || this.permission !== 'granted') return undefined;
    try {
      const notification = new Notification(heading, { body, tag, requireInteraction: tag.startsWith('offer'), icon: `${this.app.shell.files}/shared/icon.svg` });
      notification.onclick = () => {
        window.focus();
        notification.close();
        go();
      };
      return notification;
    } catch {
      // Some browsers of phones have none for a page.
      return undefined;
    }
  }

  /** Offers are in the page, and are painted with the next frame but one, if anybody can see it. @param {readonly string[]} ids */
  painted(ids) {
    const fresh = ids.filter((id) => !this.confirmed.has(id));
    if (fresh.length === 0 || document.visibilityState === 'hidden') return;
    requestAnimationFrame(() =>
      requestAnimationFrame(() => {
        if (document.visibilityState === 'hidden') return;
        for (const id of fresh) this.confirm(id);
      }),
    );
  }

  /** @param {string} id */
  confirm(id) {
    const offer = this.app.state.offers[id];
    if (!offer || this.confirmed.has(id)) return;
    this.confirmed.add(id);
    if (offer.delivered) return;
    this.app.client.delivered(id).catch(() => {});
  }

  /** The title and the icon of the tab. */
  mark() {
    const offers = Object.keys(this.app.state.offers).length;
    const alert = offers > 0;
    const words = alert ? (offers === 1 ? '● Offer waiting' : `● ${offers} offers waiting`) : this.unseen > 0 ? `(${this.unseen}) ${this.title}` : this.title;
    if (document.title !== words) document.title = words;
    const link = /** @type {HTMLLinkElement | null} */ (document.querySelector('link[rel=icon]'));
    const address = `${this.app.shell.files}/shared/${alert ? 'icon_alert' : 'icon'}.svg`;
    if (link && link.getAttribute('href') !== address) link.setAttribute('href', address);
  }
}
