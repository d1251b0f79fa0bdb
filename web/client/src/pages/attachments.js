// What somebody adds to what is being written, before it is sent: on its way up at once, shown with how far it is, refused by name, tried again,
// taken away. For pages; it knows nothing of how they show it.

import { FILES_MAX, PICTURES } from '../shared/files.js';

/**
 * @typedef {import('../shared/files.js').Attached} Attached
 * @typedef {import('../shared/files.js').Allowed} Allowed
 * @typedef {import('../shared/outbox.js').WireError & Record<string, any>} WireError
 *
 * @typedef {object} Item
 * @property {string} id
 * @property {string} conversation
 * @property {File} file
 * @property {string} name
 * @property {string} address Of a picture, for showing it here; empty: none.
 * @property {'going' | 'waits' | 'up' | 'refused'} state `going`: or in line for it. `waits`: for the connection, or as the server said.
 * @property {number} sent Bytes.
 * @property {Attached} [attached] Once it is up.
 * @property {WireError} [error] Why it was refused.
 * @property {AbortController} abort
 *
 * @typedef {object} Around
 * @property {(conversation: string, file: File, options: import('../shared/files.js').UploadOptions) => Promise<Attached>} upload
 * @property {() => Allowed | undefined} allowed
 * @property {() => void} changed
 */

/** Which kinds a browser tells by the name alone, and right: of these the server need not be asked. */
const KNOWN = /^(image|audio|video)\//;
/** What is refused for what it is will be again. */
const FOR_GOOD = new Set(['too_large', 'http_413', 'file_refused', 'forbidden']);
/** So many go up at once, which the server takes of one sender; the others wait in line. */
const UP_AT_ONCE = 2;

export class Attachments {
  /** @param {Around} around */
  constructor(around) {
    this.around = around;
    /** @type {Item[]} */
    this.items = [];
    this.made = 0;
    this.going = 0;
    /** @type {Item[]} */
    this.line = [];
    /** What is done once nothing of a conversation is on its way any more. @type {Map<string, (files: Attached[]) => void>} */
    this.waiting = new Map();
  }

  /** @param {string} conversation */
  of(conversation) {
    return this.items.filter((one) => one.conversation === conversation);
  }

  /**
   * @param {string} conversation
   * @param {readonly File[]} files
   * @returns {number} How many there was no room for.
   */
  add(conversation, files) {
    const room = Math.max(0, FILES_MAX - this.of(conversation).length);
    for (const file of files.slice(0, room)) {
      /** @type {Item} */
      const one = {
        id: `file ${++this.made}`,
        conversation,
        file,
        name: plain(file.name),
        address: PICTURES.has(file.type) ? URL.createObjectURL(file) : '',
        state: 'going',
        sent: 0,
        abort: new AbortController(),
      };
      this.items.push(one);
      const error = refusedHere(file, this.around.allowed());
      if (error) Object.assign(one, { state: 'refused', error });
      else this.line.push(one);
    }
    this.pump();
    this.around.changed();
    return Math.max(0, files.length - room);
  }

  pump() {
    while (this.going < UP_AT_ONCE) {
      const one = this.line.shift();
      if (!one) return;
      if (!one.abort.signal.aborted) void this.go(one);
    }
  }

  /** @param {Item} one */
  async go(one) {
    const { signal } = one.abort;
    this.going += 1;
    try {
      const onProgress = (/** @type {import('../shared/files.js').Progress} */ { sent, waits }) => {
        if (signal.aborted) return;
        one.state = waits ? 'waits' : 'going';
        one.sent = sent;
        this.around.changed();
      };
      one.attached = await this.around.upload(one.conversation, one.file, { signal, onProgress });
      one.state = 'up';
    } catch (error) {
      if (signal.aborted) return;
      one.error = /** @type {any} */ (error).error ?? { code: 'failed', message: String(error) };
      one.state = 'refused';
    } finally {
      this.going -= 1;
      this.pump();
    }
    this.around.changed();
    this.settle(one.conversation);
  }

  /** @param {string} id */
  again(id) {
    const one = this.items.find((one) => one.id === id);
    if (one?.state !== 'refused') return;
    one.state = 'going';
    this.line.push(one);
    this.pump();
    this.around.changed();
  }

  /** @param {string} id */
  remove(id) {
    const one = this.items.find((one) => one.id === id);
    if (!one) return;
    one.abort.abort();
    if (one.address) URL.revokeObjectURL(one.address);
    this.items = this.items.filter((other) => other !== one);
    this.around.changed();
    this.settle(one.conversation);
  }

  /** What was added before there was a conversation is of the one that there is now. @param {string} from @param {string} to */
  move(from, to) {
    for (const one of this.of(from)) one.conversation = to;
    const run = this.waiting.get(from);
    this.waiting.delete(from);
    if (run) this.waiting.set(to, run);
    this.settle(to);
  }

  /** @param {(conversation: string) => boolean} goesOn What is added elsewhere is of no use any more. */
  keepOnly(goesOn) {
    for (const { id, conversation } of [...this.items]) if (!goesOn(conversation)) this.remove(id);
  }

  /** Whether something is on its way. @param {string} conversation */
  isGoing(conversation) {
    return this.of(conversation).some(({ state }) => state === 'going' || state === 'waits');
  }

  /**
   * Takes what is up, as soon as nothing is on its way any more; what was refused stays where it is shown.
   * @param {string} conversation
   * @param {(files: Attached[]) => void} run
   */
  whenUp(conversation, run) {
    this.waiting.set(conversation, run);
    this.settle(conversation);
    this.around.changed();
  }

  /** Sent as soon as it is up, which was asked for. @param {string} conversation */
  isWaiting(conversation) {
    return this.waiting.has(conversation);
  }

  /** @param {string} conversation */
  settle(conversation) {
    const run = this.waiting.get(conversation);
    if (!run || this.isGoing(conversation)) return;
    this.waiting.delete(conversation);
    const up = this.of(conversation).filter(({ state }) => state === 'up');
    for (const { id } of up) this.remove(id);
    run(up.flatMap(({ attached }) => attached ?? []));
  }
}

/** Whether it may be otherwise another time. @param {Item} one */
export function mayBeTriedAgain({ state, error }) {
  return state === 'refused' && !FOR_GOOD.has(error?.code ?? '') && error?.field !== 'type' && error?.field !== 'name';
}

/**
 * What need not be sent up to be refused; the rest is the server's to say, which looks into it.
 * @param {File} file
 * @param {Allowed | undefined} allowed
 * @returns {WireError | undefined}
 */
function refusedHere({ size, type }, allowed) {
  if (!allowed) return undefined;
  const { max_bytes, types } = allowed;
  if (size > max_bytes) return { code: 'too_large', message: 'too large', max_bytes };
  return KNOWN.test(type) && !types.includes(type) ? { code: 'bad_request', message: 'a kind that is not taken', field: 'type', allowed: types } : undefined;
}

/** Signs that are not seen, and those that turn the direction of writing, with which one name looks like another. */
const UNSEEN = /[\p{Cc}\p{Zl}\p{Zp}\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/gu;

/**
 * A name as it is shown, and as it is kept under.
 * @param {string} name
 */
export function plain(name) {
  return name.replace(UNSEEN, '');
}

/**
 * `1.4 MB`, in a language.
 * @param {number} bytes
 * @param {string} [language]
 */
export function sized(bytes, language) {
  const large = bytes >= 1_048_576;
  const unit = large ? 'megabyte' : 'kilobyte';
  const value = Math.max(0.1, bytes / (large ? 1_048_576 : 1_024));
  return new Intl.NumberFormat(language, { style: 'unit', unit, maximumFractionDigits: value < 10 ? 1 : 0 }).format(value);
}

/** `PNG, PDF, TXT`: kinds as people call them. @param {readonly string[]} types */
export function kindsOf(types) {
  return types.map((type) => (type === 'text/plain' ? 'TXT' : (type.split(/[/.+]/).findLast((part) => part !== 'xml') ?? type).toUpperCase())).join(', ');
}

/**
 * Where text is pasted, a picture beside it is only what the text looks like.
 * @param {DataTransfer | null} data
 * @returns {File[]}
 */
export function pastedFiles(data) {
  return data && !data.types.includes('text/plain') ? [...data.files] : [];
}
