// What an agent does, each as its command; how it comes to the server is the client's.

import { SharedClient } from '../shared/client.js';

/**
 * @typedef {import('./state.js').AgentState} AgentState
 * @typedef {import('./frames.js').Labels} Labels
 */

/** Not for each key that is pressed. */
const TYPING_EACH_MS = 3_000;
const DRAFT_EACH_MS = 150;
const INPUT_EACH_MS = 5_000;

/** @extends {SharedClient<AgentState>} */
export class Deeds extends SharedClient {
  /** When something was mentioned last, by what it is. @type {Map<string, number>} */
  mentioned = new Map();

  /**
   * @param {string} status
   * @param {readonly string[]} [channels] Those switched on; absent: as they are.
   */
  setStatus(status, channels) {
    return this.command('set_status', { status, channels });
  }

  /** @param {string | null} status For when the work is over; null: none any more. */
  nextStatus(status) {
    return this.command('next_status', { status: status ?? undefined });
  }

  /** An agent that is `unreachable` is there again. */
  ready() {
    return this.command('ready');
  }

  /** Somebody moved the mouse or typed at this device. */
  input() {
    this.mentionSometimes('input', {}, INPUT_EACH_MS);
  }

  /** The offer is on the screen, or a notification was raised: called by whoever has painted it. @param {string} offer */
  delivered(offer) {
    return this.command('delivered', { offer });
  }

  /** @param {string} offer */
  accept(offer) {
    return this.command('accept', { offer });
  }

  /** @param {string} offer @param {string} reason One of the settings' `reject_reasons`. */
  reject(offer, reason) {
    return this.command('reject', { offer, reason });
  }

  /**
   * Written now, shown as pending, sent once.
   * @param {string} conversation
   * @param {string} text
   * @param {readonly import('../shared/files.js').Attached[]} [files] As they were uploaded; then the text may be empty.
   */
  send(conversation, text, files) {
    return this.command('send', { conversation, text, files });
  }

  /** An internal note; kept like a message. @param {string} conversation @param {string} text */
  note(conversation, text) {
    return this.command('note', { conversation, text });
  }

  /** Takes back what was written and was not sent, or was refused. @param {string} entry Its id in `pending`. */
  discard(entry) {
    this.mention('local.discard', { entry });
  }

  /** @param {string} conversation @param {number} number */
  read(conversation, number) {
    return this.command('read', { conversation, number });
  }

  /** @param {string} conversation */
  typing(conversation) {
    this.mentionSometimes('typing', { conversation }, TYPING_EACH_MS);
  }

  /**
   * What there is of an answer, which its customer sees grow until the message comes; empty: it is taken back. Called as often as there is more of it.
   * @param {string} conversation
   * @param {string} text
   */
  draft(conversation, text) {
    const said = { conversation, text };
    if (text === '') this.mention('typing', said);
    else this.mentionSometimes('typing', said, DRAFT_EACH_MS, `draft ${conversation}`);
  }

  /** @param {string} conversation @param {Labels} [labels] */
  close(conversation, labels) {
    return this.command('close', { conversation, ...labels });
  }

  /** @param {string} conversation @param {Labels} [labels] */
  wrapUpDone(conversation, labels) {
    return this.command('wrap_up_done', { conversation, ...labels });
  }

  /** @param {string} conversation */
  extendWrapUp(conversation) {
    return this.command('extend_wrap_up', { conversation });
  }

  /** @param {string} conversation @param {Labels} labels */
  label(conversation, labels) {
    return this.command('label', { conversation, ...labels });
  }

  /** @param {string} conversation @param {{ agent: string, warm?: boolean } | { queue: string, waiting_since?: number }} to */
  transfer(conversation, to) {
    return this.command('transfer', { conversation, ...to });
  }

  /** @param {string} conversation */
  cancelTransfer(conversation) {
    return this.command('cancel_transfer', { conversation });
  }

  /** @param {string} conversation */
  handOver(conversation) {
    return this.command('hand_over', { conversation });
  }

  /** @param {string} conversation */
  leave(conversation) {
    return this.command('leave', { conversation });
  }

  /** The last messages, into the state; the first thing when a conversation is looked at. @param {string} conversation */
  open(conversation) {
    return this.command('history', { conversation });
  }

  /** The messages before those that are known. @param {string} conversation */
  earlier(conversation) {
    const before = this.current.threads[conversation]?.messages[0]?.number;
    return this.command('history', { conversation, before });
  }

  /** @param {string} queue @param {{ cursor?: string, limit?: number }} [page] */
  waitingIn(queue, page) {
    return this.command('waiting', { queue, ...page });
  }

  /** @param {string} conversation */
  pick(conversation) {
    return this.command('pick', { conversation });
  }

  /**
   * Rows come into the state, and change there. With an `order` it is a sheet of agents, sorted and filtered by the server.
   * @param {'queues' | 'agents'} what
   * @param {{ cursor?: string, limit?: number, order?: 'name' | 'load' | 'since', connection?: string, status?: string, queue?: string, find?: string, skip?: number }} [page]
   */
  watch(what, page) {
    return this.command('watch', { what, ...page });
  }

  /** @param {'queues' | 'agents'} what */
  unwatch(what) {
    return this.command('unwatch', { what });
  }

  /** Ends the work of this agent on all devices. */
  signOut() {
    return this.command('sign_out');
  }

  /**
   * @param {string} type
   * @param {Record<string, unknown>} members
   * @param {number} eachMs
   * @param {string} [key] What is mentioned no more often than that.
   */
  mentionSometimes(type, members, eachMs, key = type + JSON.stringify(members)) {
    const now = this.clock.now();
    if (now - (this.mentioned.get(key) ?? -Infinity) < eachMs) return;
    if (this.mentioned.size > 1_000) this.mentioned.clear();
    this.mentioned.set(key, now);
    this.mention(type, members);
  }
}
