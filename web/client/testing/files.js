// The test server's files (docs/wire.md, *Files*), for agents and customers alike: taken, kept in memory, named in one message, read again.

import { Refusal } from './refusal.js';

/**
 * @typedef {import('node:http').ServerResponse} Response
 * @typedef {{ file: string, name: string, type: string, bytes: number, width?: number, height?: number }} Attached
 * @typedef {{ about: Attached, conversation: string, content: Buffer, said: boolean }} Held
 */

const SHOWN = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp']);
const FILES_MAX = 5;

export class Files {
  constructor() {
    /** What a workspace takes, as its pages are told; `null`: none. @type {{ max_bytes: number, types: string[] } | null} */
    this.allowed = { max_bytes: 10_485_760, types: [...SHOWN, 'application/pdf', 'text/plain'] };
    /** Names that the scan refuses. @type {Set<string>} */
    this.infected = new Set();
    /** @type {Map<string, Held>} */
    this.held = new Map();
  }

  /** For the settings of pages. */
  get settings() {
    return this.allowed ? { files: this.allowed } : {};
  }

  /**
   * @param {string} conversation
   * @param {string} name
   * @param {Buffer} content
   */
  take(conversation, name, content) {
    if (!this.allowed) throw new Refusal('bad_request', 400, { field: 'files' });
    const { max_bytes, types } = this.allowed;
    if (content.length > max_bytes) throw new Refusal('too_large', 413, { max_bytes });
    if (name === '' || content.length === 0) throw new Refusal('bad_request', 400, { field: name === '' ? 'name' : 'body' });
    const type = sniffed(content);
    if (!types.includes(type)) throw new Refusal('bad_request', 400, { field: 'type', allowed: types });
    if (this.infected.has(name)) throw new Refusal('file_refused', 422);
    /** @type {Attached} */
    const about = { file: `f_${this.held.size + 1}`, name, type, bytes: content.length, ...sizeOf(type, content) };
    this.held.set(about.file, { about, conversation, content, said: false });
    return { file: about };
  }

  /**
   * Of a message: each of this conversation, and in no message yet.
   * @param {string} conversation
   * @param {unknown} named
   * @returns {Attached[] | undefined}
   */
  say(conversation, named) {
    if (named === undefined) return undefined;
    const found = Array.isArray(named) && named.length > 0 && named.length <= FILES_MAX ? named.map((id) => this.held.get(String(id))) : [];
    const wrong = found.length === 0 || new Set(found).size < found.length || found.some((one) => !one || one.said || one.conversation !== conversation);
    if (wrong) throw new Refusal('bad_request', 400, { field: 'files' });
    return found.flatMap((one) => (one ? ((one.said = true), [one.about]) : []));
  }

  /** @param {string} conversation @param {string} id @returns {(response: Response) => void} */
  given(conversation, id) {
    const held = this.held.get(id);
    if (held?.conversation !== conversation) throw new Refusal('not_found', 404, { field: 'file' });
    const { name, type } = held.about;
    const shown = SHOWN.has(type);
    const headers = {
      'Content-Type': shown ? type : 'application/octet-stream',
      'Content-Length': held.content.length,
      'X-Content-Type-Options': 'nosniff',
      'Content-Disposition': `${shown ? 'inline' : 'attachment'}; filename*=UTF-8''${encodeURIComponent(name)}`,
    };
    return (response) => void response.writeHead(200, headers).end(held.content);
  }
}

/** @param {Buffer} content */
function sniffed(content) {
  const begins = (/** @type {string} */ letters, at = 0) => content.subarray(at, at + letters.length).toString('latin1') === letters;
  if (begins('\x89PNG\r\n\x1a\n')) return 'image/png';
  if (begins('\xff\xd8\xff')) return 'image/jpeg';
  if (begins('GIF8')) return 'image/gif';
  if (begins('RIFF') && begins('WEBP', 8)) return 'image/webp';
  if (begins('%PDF-')) return 'application/pdf';
  return content.includes(0) ? 'application/octet-stream' : /^\s*<(svg|\?xml)/.test(content.toString()) ? 'image/svg+xml' : 'text/plain';
}

/** @param {string} type @param {Buffer} content */
function sizeOf(type, content) {
  if (type === 'image/png' && content.length >= 24) return { width: content.readUInt32BE(16), height: content.readUInt32BE(20) };
  if (type === 'image/gif' && content.length >= 10) return { width: content.readUInt16LE(6), height: content.readUInt16LE(8) };
  return {};
}
