// Pictures as pages show them: each is read when its place comes near what is seen, and kept as long as there is room. What a `blob:` address
// stands for is held by the browser until the address is given back: which it is, as soon as others need the room.

/**
 * @typedef {(conversation: string, file: string, options: { signal: AbortSignal }) => Promise<Blob>} Read
 *
 * @typedef {object} User Of one place.
 * @property {(address: string) => void} ready
 * @property {(error: unknown) => void} failed
 *
 * @typedef {{ conversation: string, file: string }} Which
 * @typedef {{ key: string, which: Which, users: Set<User>, address: string, bytes: number, abort: AbortController }} Held
 */

const BYTES_MAX = 50_000_000;
/** So many are read at once; the others wait in line. */
const READ_AT_ONCE = 4;
/** So far from what is seen it is read. */
const NEAR = '600px';

export class Pictures {
  /**
   * @param {Read} read
   * @param {number} [bytesMax] Of those that are kept; what is in sight is there, whatever it takes.
   */
  constructor(read, bytesMax = BYTES_MAX) {
    this.read = read;
    this.bytesMax = bytesMax;
    /** In the order in which they were used last. @type {Map<string, Held>} */
    this.held = new Map();
    this.bytes = 0;
    /** @type {Held[]} */
    this.line = [];
    this.reading = 0;
    /** @type {WeakMap<Element, { which: Which, user: User }>} */
    this.places = new WeakMap();
    /** @type {IntersectionObserver | undefined} */
    this.observer = undefined;
  }

  /**
   * Shows it in a place while that is near.
   * @param {HTMLImageElement} place
   * @param {Which} which
   * @param {(error: unknown) => void} failed
   */
  show(place, which, failed) {
    const user = { ready: (/** @type {string} */ address) => void (place.src = address), failed };
    // Damaged, or the page's policy has no `blob:` for pictures.
    place.addEventListener('error', failed);
    this.places.set(place, { which, user });
    this.observer ??= new IntersectionObserver((seen) => this.seen(seen), /** @type {any} */ ({ rootMargin: NEAR, scrollMargin: NEAR }));
    this.observer.observe(place);
  }

  /** @param {IntersectionObserverEntry[]} seen */
  seen(seen) {
    for (const { target, isIntersecting } of seen) {
      const place = this.places.get(target);
      if (!place) continue;
      if (isIntersecting) {
        this.use(place.which, place.user);
      } else {
        this.leave(place.which, place.user);
        // What is far away, or not there any more, holds nothing.
        target.removeAttribute('src');
        if (!target.isConnected) this.observer?.unobserve(target);
      }
    }
  }

  /** @param {Which} which @param {User} user */
  use(which, user) {
    const key = `${which.conversation} ${which.file}`;
    const one = this.held.get(key) ?? { key, which, users: new Set(), address: '', bytes: 0, abort: new AbortController() };
    if (!this.held.delete(key)) this.line.push(one);
    this.held.set(key, one);
    one.users.add(user);
    if (one.address) user.ready(one.address);
    else this.pump();
  }

  /** @param {Which} which @param {User} user */
  leave({ conversation, file }, user) {
    const one = this.held.get(`${conversation} ${file}`);
    if (!one?.users.delete(user) || one.users.size > 0) return;
    if (one.address) return this.trim();
    one.abort.abort();
    this.held.delete(one.key);
  }

  pump() {
    while (this.reading < READ_AT_ONCE) {
      const one = this.line.shift();
      if (!one) return;
      if (!one.abort.signal.aborted) void this.load(one);
    }
  }

  /** @param {Held} one */
  async load(one) {
    const { which, users, abort } = one;
    this.reading += 1;
    try {
      const blob = await this.read(which.conversation, which.file, { signal: abort.signal });
      if (abort.signal.aborted) return;
      one.address = URL.createObjectURL(blob);
      one.bytes = blob.size;
      this.bytes += blob.size;
      for (const { ready } of users) ready(one.address);
      this.trim();
    } catch (error) {
      if (abort.signal.aborted) return;
      this.held.delete(one.key);
      for (const { failed } of users) failed(error);
    } finally {
      this.reading -= 1;
      this.pump();
    }
  }

  /** Nothing of it is kept. */
  clear() {
    for (const { address, abort } of this.held.values()) {
      abort.abort();
      if (address) URL.revokeObjectURL(address);
    }
    this.held.clear();
    this.line = [];
    this.bytes = 0;
  }

  /** What nobody looks at goes, the longest unused first, until the rest has room. */
  trim() {
    for (const [key, { users, address, bytes }] of this.held) {
      if (this.bytes <= this.bytesMax) return;
      if (users.size > 0 || !address) continue;
      URL.revokeObjectURL(address);
      this.bytes -= bytes;
      this.held.delete(key);
    }
  }
}

/**
 * How large it is shown, so that its place is there before it is; the rest is cut away. Of some the server does not know how large they are.
 * @param {{ width?: number, height?: number }} picture
 * @param {{ width: number, height: number, least: number }} most
 */
export function placeOf({ width = 240, height = 180 }, { width: widest, height: highest, least }) {
  const scale = Math.min(1, widest / width, highest / height);
  const within = (/** @type {number} */ size, /** @type {number} */ most) => Math.min(most, Math.max(least, Math.round(size * scale)));
  return { width: within(width, widest), height: within(height, highest) };
}

/**
 * Gives a file to the person, under its name.
 * @param {Blob} blob
 * @param {string} name
 */
export function saveFile(blob, name) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // The browser reads it after the click, and says not when.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
