// What a person has chosen for these pages in this browser. Nothing of it is anybody's data.

/**
 * @typedef {object} Settings
 * @property {'system' | 'light' | 'dark'} theme
 * @property {boolean} sound A tone when there is an offer.
 * @property {number} volume 0 to 100.
 * @property {boolean} notifications On the desktop, while the page is not looked at.
 * @property {boolean} letters Whether single letters are shortcuts (`j`, `?`); those with Alt, Ctrl or ⌘ always are.
 */

const KEY = 'offhook|desk|settings';

/** @type {Settings} */
const FIRST = { theme: 'system', sound: true, volume: 60, notifications: true, letters: true };

/**
 * What is stored, as far as it makes sense.
 * @param {unknown} held
 * @returns {Settings}
 */
export function settingsOf(held) {
  const given = /** @type {Record<string, unknown>} */ (typeof held === 'object' && held !== null ? held : {});
  const theme = given.theme === 'light' || given.theme === 'dark' ? given.theme : 'system';
  const volume = typeof given.volume === 'number' && given.volume >= 0 && given.volume <= 100 ? given.volume : FIRST.volume;
  const flag = (/** @type {'sound' | 'notifications' | 'letters'} */ name) => (typeof given[name] === 'boolean' ? given[name] : FIRST[name]);
  return { theme, volume, sound: flag('sound'), notifications: flag('notifications'), letters: flag('letters') };
}

export class Choices {
  constructor() {
    /** @type {Settings} */
    this.current = FIRST;
    /** @type {Set<() => void>} */
    this.listeners = new Set();
    this.load();
    // Another tab's choice is this one's too.
    addEventListener('storage', ({ key }) => {
      if (key !== KEY) return;
      this.load();
      this.tell();
    });
  }

  load() {
    try {
      this.current = settingsOf(JSON.parse(localStorage.getItem(KEY) ?? 'null'));
    } catch {
      this.current = FIRST;
    }
    this.apply();
  }

  /** @param {Partial<Settings>} change */
  set(change) {
    this.current = settingsOf({ ...this.current, ...change });
    try {
      localStorage.setItem(KEY, JSON.stringify(this.current));
    } catch {
      // Then it is good until the page is closed.
    }
    this.apply();
    this.tell();
  }

  apply() {
    const { theme } = this.current;
    const { dataset } = document.documentElement;
    if (theme === 'system') delete dataset.theme;
    else dataset.theme = theme;
  }

  tell() {
    for (const listener of this.listeners) listener();
  }
}
