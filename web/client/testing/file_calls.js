// The test server's calls for files over HTTP, of agents and customers; and what becomes of each where a test wants it to go wrong: `in:POST files`
// and `in:GET file` on the way in, `out:POST files` and `out:GET file` on the way back. `cut` on the way in: the first of it came, and no more.

import { Refusal } from './refusal.js';

/**
 * @typedef {import('node:http').IncomingMessage} Request
 * @typedef {import('node:http').ServerResponse} Response
 *
 * @typedef {object} FileCall
 * @property {string} conversation
 * @property {string | undefined} file Absent: one is sent up.
 * @property {() => string} who Throws where it may not.
 */

/**
 * Below `/v1/{messenger|agent}/{workspace}/`.
 * @param {string[]} path
 */
export function fileOf([list, conversation, files, file]) {
  return list === 'conversations' && conversation !== undefined && files === 'files' ? { conversation, file } : undefined;
}

export class FileCalls {
  /**
   * @param {import('./desk.js').Desk} desk
   * @param {import('./mischief.js').Points} points
   * @param {(response: Response, status: number, error: Record<string, unknown>) => void} problem
   */
  constructor(desk, points, problem) {
    this.desk = desk;
    this.points = points;
    this.problem = problem;
  }

  /** @param {Request} request @param {Response} response @param {FileCall} asked */
  async answer(request, response, asked) {
    const call = `${request.method} ${asked.file === undefined ? 'files' : 'file'}`;
    const mischief = this.points.pass(`in:${call}`);
    /** @type {Buffer[]} */
    const parts = [];
    try {
      for await (const part of request) {
        parts.push(part);
        if (mischief?.what === 'cut') return void request.socket.destroy();
      }
    } catch {
      // Given up by whoever sent it.
      return;
    }
    if (mischief?.what === 'refuse') {
      const { retry_after_ms = 50 } = mischief;
      return this.problem(response, 503, { code: 'unavailable', message: 'the scan does not answer', retry_after_ms });
    }
    if (mischief?.what === 'hold') await this.points.hold();
    else if (mischief && mischief.what !== 'drop_after' && mischief.what !== 'duplicate') return void request.socket.destroy();
    try {
      const done = this.obey(request, response, asked, Buffer.concat(parts));
      if (mischief?.what === 'drop_after') return void request.socket.destroy();
      await this.reply(request, response, call, done);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.problem(response, error.status, error.error);
    }
  }

  /** @param {Request} request @param {Response} response @param {FileCall} asked @param {Buffer} content @returns {() => void} How it is answered. */
  obey(request, response, { conversation, file, who }, content) {
    const { desk } = this;
    const by = who();
    if (file !== undefined) {
      const give = desk.files.given(conversation, file);
      return () => give(response);
    }
    const key = String(request.headers['idempotency-key'] ?? '');
    if (!/^[0-9a-f]{32}$/.test(key)) throw new Refusal('missing_id', 400);
    if (request.headers['content-length'] === undefined) throw new Refusal('length_required', 411);
    const name = new URL(request.url ?? '/', 'http://here').searchParams.get('name') ?? '';
    const told = desk.once(by, key, { conversation, name, content: content.toString('base64') }, () => desk.files.take(conversation, name, content));
    return () => {
      response.writeHead(201, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify(told));
    };
  }

  /** @param {Request} request @param {Response} response @param {string} call @param {() => void} give */
  async reply(request, response, call, give) {
    const mischief = this.points.pass(`out:${call}`);
    if (mischief?.what === 'hold') await this.points.hold();
    else if (mischief?.what === 'cut') {
      response.writeHead(200, { 'Content-Type': 'image/png', 'Content-Length': 1_000 });
      return void response.write('{', () => request.socket.destroy());
    } else if (mischief && mischief.what !== 'drop_after') return void request.socket.destroy();
    give();
  }
}
