// A customer's client with everything that it can do: what a widget needs once there is a conversation comes on top of what it begins with.

import { fileUrl, readFile, upload } from '../shared/files.js';
import { MessengerClient as Client } from './client.js';
import { reachOf } from './reach.js';

export class MessengerClient extends Client {
  reach = reachOf(this);

  /** This customer's conversations, newest first. @returns {Promise<import('./state.js').Conversation[]>} */
  async list() {
    return (await this.command('list')).answer.conversations;
  }

  /** What it was like, once it is over; again, and the last counts. @param {number} score 1 to 5. @param {string} [comment] */
  rate(score, comment) {
    return this.command('rate', { score, comment });
  }

  /** Said anew after the beginning; empty: taken back. @param {{ name?: string, email?: string }} said */
  contact(said) {
    return this.command('contact', said);
  }

  /** What was said, as a text to keep. @param {string} time_zone `Europe/Berlin`. @returns {Promise<string>} */
  async transcript(time_zone) {
    return (await this.command('transcript', { time_zone })).answer.text;
  }

  /**
   * Sends a file up, for a message's `files`; goes on by itself when the connection broke.
   * @param {string} conversation
   * @param {Blob & { name?: string }} file
   * @param {import('../shared/files.js').UploadOptions} [options]
   */
  upload(conversation, file, options) {
    return upload(this.reach, conversation, file, options);
  }

  /** What is in a file. @param {string} conversation @param {string} file @param {{ signal?: AbortSignal }} [options] */
  readFile(conversation, file, options) {
    return readFile(this.reach, conversation, file, options);
  }

  /** Where it is read, with the token in a header. @param {string} conversation @param {string} file */
  fileUrl(conversation, file) {
    return fileUrl(this.reach, conversation, file);
  }
}
