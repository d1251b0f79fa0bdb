// What the console knows beside the client's state, and what a person does here: each deed says so where it was refused.

import { missing } from '../../../client/src/agent/state.js';
import { Pictures } from '../../../client/src/pages/pictures.js';
import { scopeOf } from '../../../client/src/shared/scope.js';
import { announce, toast } from '../shared/overlay.js';
import { Alerts } from './alerts.js';
import { attachmentsOf } from './attach_view.js';
import { openCanned } from './canned_view.js';
import { Directory } from './directory.js';
import { listed, nameOf } from './order.js';
import { Past } from './past.js';
import { Prefetch } from './prefetch.js';
import { CannedStore, Drafts } from './store.js';
import { ThreadView } from './thread_view.js';
import { Waiting } from './waiting.js';
import { goneSaid, offerEnd, refusal, saidIn } from './words.js';

/**
 * @typedef {import('../../../client/src/agent/state.js').AgentState} AgentState
 * @typedef {import('../../../client/src/agent/frames.js').Conversation} Conversation
 *
 * @typedef {object} LabelRules
 * @property {string[]} dispositions
 * @property {boolean} disposition_required
 * @property {string[] | null} tags
 * @property {{ name: string, type: string, choices?: string[], required?: boolean, personal?: boolean }[]} fields
 */

export class App {
  /** @param {import('../shared/shell.js').Shell} shell */
  constructor(shell) {
    this.shell = shell;
    this.client = shell.client;
    const { agent, workspace } = shell.session.who;
    const scope = scopeOf('console', location.origin, workspace || shell.workspace, agent);
    this.drafts = new Drafts(scope);
    this.canned = new CannedStore(scope);
    this.alerts = new Alerts(this);
    this.prefetch = new Prefetch(this.client);
    /** The conversation that is looked at. @type {string | undefined} */
    this.chosen = undefined;
    /** What the left column shows. @type {'mine' | 'waiting' | 'past'} */
    this.tab = 'mine';
    /** Words that the list is narrowed by. */
    this.wanted = '';
    /** Of a phone, which shows one column: */
    this.detailsOpen = true;
    /** @type {'list' | 'thread' | 'details'} */
    this.column = 'list';
    /** Whether a note is written, by conversation. @type {Set<string>} */
    this.noting = new Set();
    /** By queue; `null`: asked for. @type {Map<string, LabelRules | null>} */
    this.rules = new Map();
    /** What a label was refused for, by conversation and field. @type {Map<string, Record<string, string>>} */
    this.faults = new Map();
    /** Up to which message it was read when it was opened. @type {Map<string, number>} */
    this.readWhenOpened = new Map();
    /** What is under way, so that no button does it twice. @type {Set<string>} */
    this.busy = new Set();
    /** Labels that were said and not answered, by conversation: they are shown meanwhile. @type {Map<string, import('../../../client/src/agent/frames.js').Labels>} */
    this.labelling = new Map();
    /** Offers that this agent has answered here. @type {Set<string>} */
    this.answered = new Set();
    /** How long an offer had when it was seen first. @type {Map<string, number>} */
    this.totals = new Map();
    /** Files of replies that are being written, and pictures that are shown. */
    this.attachments = attachmentsOf(this);
    this.pictures = new Pictures((conversation, file, options) => this.client.readFile(conversation, file, options));
    this.dropping = false;
    this.past = new Past(this);
    this.waiting = new Waiting(this);
    this.directory = new Directory(this);
    this.threadView = new ThreadView(this);
    /** Whether there is but one column. */
    this.narrow = () => false;
    /** What is to have the focus once it is drawn. */
    this.focus = /** @type {'composer' | 'row' | ''} */ ('');
  }

  /** @returns {AgentState} */
  get state() {
    return this.client.state;
  }

  changed() {
    this.shell.changed();
  }

  /** @returns {Conversation | undefined} */
  get conversation() {
    return this.chosen === undefined ? undefined : this.state.conversations[this.chosen];
  }

  /**
   * Before it is drawn: what a person should know of, and what has to be asked for.
   * @param {AgentState} state
   * @param {any} frame
   * @param {AgentState} before
   */
  heard(state, frame, before) {
    if (frame.type === 'offer_ended' && !this.answered.has(frame.offer)) {
      const said = frame.end === 'accepted' ? undefined : offerEnd(frame.end);
      if (said && before.offers[frame.offer]) toast(said);
    }
    if (frame.type === 'offer_ended') this.totals.delete(frame.offer), this.answered.delete(frame.offer);
    if (frame.type === 'conversation_gone') this.gone(before, frame);
    if (frame.type === 'conversation' && frame.cause !== 'reopened') this.came(frame.conversation.conversation, frame.cause);
    if (frame.type === 'conversation' && frame.cause === 'reopened') toast(`${nameOf(frame.conversation)} writes again.`, this.going(frame.conversation.conversation));
    if (frame.type === 'status' && frame.cause !== 'chosen') this.statusSaid(frame);
    if (frame.type === 'transfer_ended') this.transferSaid(state, frame);
    if (frame.type === 'reminder') announce(`${this.nameOf(frame.conversation)} waits for an answer.`);
    if (frame.type === 'message' && 'customer' in frame.author) {
      this.alerts.wrote(frame);
      if (frame.conversation === this.chosen) announce(`${this.nameOf(frame.conversation)}: ${saidIn(frame).slice(0, 300)}`);
    }
    this.alerts.heard(state, before);
    this.prefetch.heard(state, this.chosen);
    if (this.chosen !== undefined && !state.conversations[this.chosen] && state.complete && !state.stale) this.leaveThread(this.chosen);
    if (state.complete && !state.stale) this.attachments.keepOnly((id) => Boolean(state.conversations[id]));
    if (frame.type === 'welcome') this.drafts.prune((id) => Boolean(state.conversations[id]) || !state.complete);
  }

  /** @param {string} id */
  nameOf(id) {
    const held = this.state.conversations[id];
    return held ? nameOf(held) : id;
  }

  /** @param {string} id */
  going(id) {
    return { deed: { label: 'Open', run: () => this.open(id) } };
  }

  /**
   * @param {AgentState} before
   * @param {any} frame
   */
  gone(before, frame) {
    const was = before.conversations[frame.conversation];
    if (was?.owner === before.agent?.name || was?.joined === before.agent?.name) {
      const said = was && goneSaid(nameOf(was), frame);
      if (said && !this.busy.has(`end ${frame.conversation}`)) toast(said);
    }
    this.faults.delete(frame.conversation);
    this.noting.delete(frame.conversation);
  }

  /**
   * What was accepted, picked or started here is what one wants to see; what came by itself does not take one away from what one does.
   * @param {string} id
   * @param {string} cause
   */
  came(id, cause) {
    const asked = this.busy.has('take');
    if (asked || this.chosen === undefined) this.open(id);
    else if (cause !== 'accepted') toast(cause === 'joined' ? `You have joined ${this.nameOf(id)}.` : `${this.nameOf(id)} is yours now.`, this.going(id));
  }

  /** @param {any} frame */
  statusSaid({ cause, status, by, connection }) {
    const name = status.replaceAll('_', ' ');
    if (cause === 'missed') toast(`You missed offers, so you are ${name} now.`, { bad: true, deed: { label: 'I am here', run: () => this.ready() } });
    else if (cause === 'forced') toast(`${by ?? 'A supervisor'} has set your status: ${name}.`, { bad: true });
    else if (cause === 'idle') toast(`Nobody has moved here for a while, so you are ${name} now.`, { bad: true });
    else if (cause === 'unreachable' || connection === 'unreachable') toast('Offers did not reach this page. Nothing new is offered until you say that you are here.', { bad: true, deed: { label: 'I am here', run: () => this.ready() } });
    else if (cause === 'next') toast(`You are ${name} now, as you wished.`);
  }

  /**
   * @param {AgentState} state
   * @param {any} frame
   */
  transferSaid(state, { conversation, agent, end }) {
    const name = this.nameOf(conversation);
    if (end === 'accepted') toast(`${agent} has joined ${name}.`, this.going(conversation));
    else if (end !== 'withdrawn') toast(`${agent} did not take ${name}. It is still yours.`, { bad: true });
  }

  /**
   * A deed, once at a time by its name; refused, it says why.
   * @template T
   * @param {string} name
   * @param {() => Promise<T>} run
   * @returns {Promise<T | undefined>}
   */
  async deed(name, run) {
    if (this.busy.has(name)) return undefined;
    this.busy.add(name);
    this.changed();
    try {
      return await run();
    } catch (error) {
      toast(refusal(error), { bad: true });
      return undefined;
    } finally {
      this.busy.delete(name);
      this.changed();
    }
  }

  /**
   * @param {string} id
   * @param {'composer' | 'row'} [focus] Where one goes on: by letters through the list, or by writing.
   */
  open(id, focus = 'composer') {
    this.tab = 'mine';
    this.column = 'thread';
    if (this.chosen !== id) {
      this.chosen = id;
      const held = this.state.conversations[id];
      if (held) this.readWhenOpened.set(id, held.read_by_agent);
      this.look(id);
    }
    this.focus = focus;
    this.changed();
  }

  /** The thread and its notes, and what it may be labelled with. @param {string} id */
  look(id) {
    const held = this.state.conversations[id];
    if (!held) return;
    if (!this.state.threads[id]?.messages.length || missing(this.state, id) !== undefined) void this.client.open(id).catch(() => {});
    void this.notes(id);
    this.askRules(held.queue);
  }

  /** @param {string} id */
  async notes(id) {
    let after = this.state.threads[id]?.notes.at(-1)?.note;
    try {
      for (let pages = 0; pages < 5; pages++) {
        const { notes, more } = await this.client.command('notes', { conversation: id, after, limit: 200 });
        if (!more) return;
        after = notes.at(-1)?.note;
      }
    } catch {
      // It is not ours to read any more, or is asked for again when it is opened.
    }
  }

  /** @param {string} queue */
  askRules(queue) {
    if (this.rules.has(queue)) return;
    this.rules.set(queue, null);
    this.client.command('label_rules', { queue }).then(
      (rules) => (this.rules.set(queue, rules), this.changed()),
      () => this.rules.delete(queue),
    );
  }

  /** @param {string} id */
  leaveThread(id) {
    this.chosen = undefined;
    this.column = 'list';
    // Whoever has finished with one goes on with the next that asks for something.
    const next = listed(this.state, this.client.now())[0]?.rows[0]?.id;
    if (this.busy.has(`end ${id}`) && next !== undefined && !this.narrow()) this.open(next, 'row');
    this.changed();
  }

  /**
   * The next or the one before, as the list has them.
   * @param {1 | -1} step
   * @param {'composer' | 'row'} focus
   */
  move(step, focus) {
    const ids = listed(this.state, this.client.now()).flatMap(({ rows }) => rows.map(({ id }) => id));
    if (ids.length === 0) return;
    const at = this.chosen === undefined ? -1 : ids.indexOf(this.chosen);
    const next = at < 0 ? (step > 0 ? 0 : ids.length - 1) : Math.min(ids.length - 1, Math.max(0, at + step));
    this.open(/** @type {string} */ (ids[next]), focus);
    this.shell.draw();
  }

  /** @param {string} offer */
  accept(offer) {
    this.answered.add(offer);
    // Its conversation comes before the answer, and is what one wants to see.
    this.busy.add('take');
    return this.deed(`offer ${offer}`, () => this.client.accept(offer)).finally(() => this.busy.delete('take'));
  }

  /** @param {string} offer @param {string} reason */
  decline(offer, reason) {
    this.answered.add(offer);
    return this.deed(`offer ${offer}`, () => this.client.reject(offer, reason));
  }

  /** In the first of the workspace's statuses in which one is, and on its channels, all where none is on. */
  beAvailable() {
    const { settings, channels } = this.state;
    const name = settings?.statuses.find((one) => one.available)?.name;
    const on = channels && channels.length > 0 ? channels : settings?.channels;
    return name === undefined ? undefined : this.deed('status', () => this.client.setStatus(name, on));
  }

  openCanned() {
    openCanned(this);
  }

  ready() {
    const { available } = this.state;
    return this.deed('ready', async () => {
      await this.client.ready();
      if (!available) await this.beAvailable();
    });
  }

  /** @param {string} id @param {boolean} note @param {string} text @param {import('../../../client/src/shared/files.js').Attached[]} [files] */
  send(id, note, text, files) {
    // Refused, it is shown as that in the thread.
    (note ? this.client.note(id, text) : this.client.send(id, text, files)).catch(() => {});
    this.drafts.write(id, note, '');
  }
}
