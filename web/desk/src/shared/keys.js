// The keyboard: which keys do what now, told once, so that the help can list what there is.
//
// Keys are written as `j`, `g i` (one after the other), `Enter`, `Alt+a`, `Mod+Enter` (`Mod`: ⌘ on a Mac, Ctrl elsewhere). Those without a
// modifier do nothing while somebody writes, and can be switched off (WCAG 2.1.4).

/**
 * @typedef {object} Shortcut
 * @property {string} keys
 * @property {string} what For the help.
 * @property {string} group
 * @property {() => void} run
 * @property {() => boolean} [when] Whether it does something now.
 * @property {boolean} [writing] Does so while somebody writes, too.
 */

const SEQUENCE_MS = 1_200;
export const IS_MAC = /Mac|iP(hone|ad|od)/.test(globalThis.navigator?.platform ?? '');

/**
 * What a key that was pressed is called.
 * @param {Pick<KeyboardEvent, 'key' | 'code' | 'altKey' | 'ctrlKey' | 'metaKey' | 'shiftKey'>} event
 * @param {boolean} [mac]
 */
export function nameOf({ key, code, altKey, ctrlKey, metaKey, shiftKey }, mac = IS_MAC) {
  const letter = /^Key([A-Z])$/.exec(code ?? '')?.[1]?.toLowerCase();
  // Alt makes other letters on a Mac, and so does a layout without Latin ones.
  const latin = key.length === 1 && key.charCodeAt(0) < 128;
  let name = key.length === 1 && letter && (altKey || !latin) && !(latin && /[a-z]/i.test(key)) ? letter : key;
  if (name.length === 1) name = name.toLowerCase();
  const mods = [(mac ? metaKey : ctrlKey) && 'Mod', mac && ctrlKey && 'Ctrl', altKey && 'Alt', shiftKey && (key.length > 1 || altKey || ctrlKey || metaKey) && 'Shift'];
  return [...mods.filter(Boolean), name].join('+');
}

/** @param {EventTarget | null} target */
export function isWriting(target) {
  const element = /** @type {HTMLElement | null} */ (target);
  if (!element || !('tagName' in element)) return false;
  if (element.isContentEditable || element.tagName === 'TEXTAREA' || element.tagName === 'SELECT') return true;
  const kind = /** @type {HTMLInputElement} */ (element).type;
  return element.tagName === 'INPUT' && !['checkbox', 'radio', 'button', 'range', 'file'].includes(kind);
}

export class Keys {
  /** @param {() => boolean} letters Whether single letters are shortcuts. */
  constructor(letters) {
    this.letters = letters;
    /** @type {Shortcut[]} */
    this.all = [];
    this.begun = '';
    this.begunAt = 0;
    document.addEventListener('keydown', (event) => this.pressed(event));
  }

  /** @param {Shortcut[]} shortcuts */
  add(...shortcuts) {
    this.all.push(...shortcuts);
  }

  /** @param {KeyboardEvent} event */
  pressed(event) {
    // A menu, a dialog or a field has taken it; or a letter is being composed.
    if (event.defaultPrevented || event.isComposing || event.repeat) return;
    const name = nameOf(event);
    if (['Shift', 'Alt', 'Control', 'Meta'].includes(event.key)) return;
    const plain = !/^(Mod|Ctrl|Alt)\+/.test(name);
    const free = !isWriting(event.target) && !document.querySelector('dialog[open], [role=menu]');
    const before = event.timeStamp - this.begunAt < SEQUENCE_MS ? this.begun : '';
    this.begun = '';
    const may = (/** @type {Shortcut} */ one) => (!plain || one.writing || (free && this.isOn(one))) && (one.when?.() ?? true);
    for (const keys of before ? [`${before} ${name}`, name] : [name]) {
      const found = this.all.find((one) => one.keys === keys && may(one));
      if (!found) continue;
      event.preventDefault();
      found.run();
      return;
    }
    if (plain && free && this.all.some((one) => one.keys.startsWith(`${name} `) && may(one))) {
      this.begun = name;
      this.begunAt = event.timeStamp;
    }
  }

  /** @param {Shortcut} shortcut */
  isOn({ keys }) {
    const single = keys.split(' ').every((key) => key.length === 1);
    return !single || this.letters();
  }
}

const MAC_SIGNS = /** @type {Record<string, string>} */ ({ Mod: '⌘', Alt: '⌥', Shift: '⇧', Enter: '↩', Escape: 'Esc', ArrowUp: '↑', ArrowDown: '↓' });
const SIGNS = /** @type {Record<string, string>} */ ({ Mod: 'Ctrl', Escape: 'Esc', ArrowUp: '↑', ArrowDown: '↓' });

/**
 * As they are written on keys: `Alt+a` -> `['Alt', 'A']`.
 * @param {string} keys
 * @param {boolean} [mac]
 */
export function signs(keys, mac = IS_MAC) {
  const table = mac ? MAC_SIGNS : SIGNS;
  return keys.split(/[ +]/).map((key) => table[key] ?? (key.length === 1 ? key.toUpperCase() : key));
}
