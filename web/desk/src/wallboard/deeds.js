// What a supervisor does: each is said in full before it is done, goes out once, and its refusal is told in words.

import { confirmed, openDialog, toast } from '../shared/overlay.js';
import { h } from '../shared/view.js';
import { words } from './model.js';
import { ruleSaid } from './words.js';

/**
 * @typedef {import('./model.js').QueueRow} QueueRow
 * @typedef {import('./model.js').AgentRow} AgentRow
 * @typedef {import('../shared/overlay.js').Dialog} Dialog
 * @typedef {{ code: string, message?: string, rule?: string, owner?: string | null, agent?: string }} Refused
 */

export class Deeds {
  /** @param {import('../shared/shell.js').Shell} shell */
  constructor(shell) {
    this.shell = shell;
  }

  /**
   * @param {string} type
   * @param {Record<string, unknown>} members
   * @param {string} done What is said when it is done.
   * @returns {Promise<Refused | undefined>} Where it was refused for a reason that may be overruled.
   */
  async do(type, members, done) {
    try {
      await this.shell.client.command(type, members);
      toast(done);
    } catch (error) {
      const refused = /** @type {Refused} */ (error);
      if (refused.code === 'agent_unable') return refused;
      toast(refusal(refused), { bad: true });
    }
    return undefined;
  }

  /**
   * A conversation becomes this supervisor's own.
   * @param {string} conversation
   * @param {string | null} owner As it was seen.
   */
  async claim(conversation, owner) {
    const text = `${conversation} becomes yours, in the console. ${owner ? `${owner} is told that it is gone.` : 'It is offered to nobody else then.'}`;
    if (!(await confirmed(`Claim ${conversation}?`, text, 'Claim'))) return;
    const members = { conversation, expected_owner: owner ?? undefined };
    await this.forced('claim', members, 'You', `${conversation} is yours.`);
  }

  /**
   * Once as the rules are, and again beyond them where the person says so.
   * @param {string} type
   * @param {Record<string, unknown>} members
   * @param {string} who
   * @param {string} done
   */
  async forced(type, members, who, done) {
    const refused = await this.do(type, members, done);
    if (!refused) return;
    const rule = refused.rule ?? '';
    if (rule === 'offline' || rule === 'deactivated') return toast(`${who}: ${ruleSaid(rule)}.`, { bad: true });
    const text = `${who} ${who === 'You' ? `cannot take it by the rules (${words(rule).toLowerCase()}).` : `${ruleSaid(rule)}.`} It can be given all the same; the journal says that it was forced.`;
    if (!(await confirmed('Force it?', text, 'Force it'))) return;
    const again = await this.do(type, { ...members, force: true }, done);
    if (again) toast(`${who}: ${ruleSaid(again.rule ?? '')}.`, { bad: true });
  }

  /**
   * To another queue, or to an agent.
   * @param {string} conversation
   * @param {string | null} owner
   * @param {import('./page.js').Board} board
   * @param {string} [from] The queue that it is in.
   * @returns {Promise<void>}
   */
  move(conversation, owner, { queues: all, agents }, from) {
    // Into its own queue only goes what somebody owns.
    const queues = owner ? all : all.filter((row) => row.queue !== from);
    const choice = { to: 'queue', queue: queues[0]?.queue ?? '', agent: '' };
    let wrong = '';
    return new Promise((done) => {
      let chosen = false;
      const go = (/** @type {Dialog} */ dialog) => {
        wrong = choice.to === 'agent' && choice.agent.trim() === '' ? 'The name of an agent.' : '';
        if (wrong) return dialog.draw();
        chosen = true;
        dialog.close();
      };
      openDialog({
        title: `Move ${conversation}`,
        body: (dialog) => moveForm(dialog, choice, queues, agents, owner, () => wrong, () => go(dialog)),
        foot: (dialog) => [h('button', { key: 'no', onclick: dialog.close }, 'Cancel'), h('button', { key: 'yes', class: 'primary', onclick: () => go(dialog) }, 'Move')],
        closed: () => {
          if (!chosen) return done();
          const to = choice.to === 'queue' ? this.toQueue(conversation, choice.queue) : this.toAgent(conversation, owner, choice.agent.trim());
          void to.then(done);
        },
      });
    });
  }

  /** @param {string} conversation @param {string} queue */
  async toQueue(conversation, queue) {
    await this.do('transfer', { conversation, queue }, `${conversation} waits in ${queue}.`);
  }

  /** @param {string} conversation @param {string | null} owner @param {string} agent */
  async toAgent(conversation, owner, agent) {
    const members = { conversation, agent, expected_owner: owner ?? undefined };
    await this.forced('reassign', members, agent, `${conversation} is ${agent}'s.`);
  }

  /** @param {AgentRow} row @returns {Promise<void>} */
  forceStatus({ agent, title, status }) {
    const statuses = this.shell.client.state.settings?.statuses ?? [];
    let chosen = status;
    let yes = false;
    return new Promise((done) => {
      const go = (/** @type {Dialog} */ dialog) => {
        yes = true;
        dialog.close();
      };
      openDialog({
        title: `Set the status of ${title}`,
        body: (dialog) => [
          h(
            'fieldset',
            { class: 'radios' },
            h('legend', { class: 'unseen' }, 'Status'),
            statuses.map(({ name, available }) =>
              h('label', { key: name, class: 'check' }, h('input', { type: 'radio', name: 'status', value: name, checked: name === chosen, ...(name === chosen && { 'data-first': true }), onchange: () => ((chosen = name), dialog.draw()) }), h('span', { class: `dot ${available ? 'good' : 'warn'}` }), h('bdi', null, words(name))),
            ),
          ),
          h('p', { class: 'dim small', dir: 'auto' }, `${title} is told that you did this. What is on offer goes on to others when the new status takes nothing.`),
        ],
        foot: (dialog) => [h('button', { key: 'no', onclick: dialog.close }, 'Cancel'), h('button', { key: 'yes', class: 'primary', disabled: chosen === status, onclick: () => go(dialog) }, 'Set status')],
        closed: () => (yes ? void this.do('force_status', { agent, status: chosen }, `${title}: ${words(chosen)}.`).then(() => done()) : done()),
      });
    });
  }

  /** @param {AgentRow} row @param {boolean} on */
  async drainAgent({ agent, title }, on) {
    const text = on ? `${title} keeps what there is, and is offered nothing new.` : `${title} is offered new conversations again.`;
    if (!(await confirmed(on ? `Drain ${title}?` : `End the draining of ${title}?`, text, on ? 'Drain' : 'Offer again'))) return;
    await this.do('drain', { agent, on }, on ? `${title} is draining.` : `${title} is offered new conversations again.`);
  }

  /** @param {QueueRow} row @param {readonly QueueRow[]} queues @returns {Promise<void>} */
  drainQueue({ queue, title }, queues) {
    let to = '';
    let yes = false;
    return new Promise((done) => {
      const go = (/** @type {Dialog} */ dialog) => {
        yes = true;
        dialog.close();
      };
      openDialog({
        title: `Drain ${title}`,
        body: () => [
          h('p', { dir: 'auto' }, `${title} takes nothing new. What waits goes on being offered.`),
          h('div', null, h('label', { for: 'drain-to' }, 'What is new meanwhile'), h('select', { id: 'drain-to', onchange: (/** @type {any} */ event) => (to = event.target.value) }, h('option', { key: '', value: '' }, 'is refused'), queues.filter((row) => row.queue !== queue).map((row) => h('option', { key: row.queue, value: row.queue }, `goes to ${row.title}`)))),
        ],
        foot: (dialog) => [h('button', { key: 'no', onclick: dialog.close }, 'Cancel'), h('button', { key: 'yes', class: 'primary', onclick: () => go(dialog) }, 'Drain')],
        closed: () => (yes ? void this.do('drain', { queue, on: true, to: to || undefined }, `${title} is draining.`).then(() => done()) : done()),
      });
    });
  }

  /** @param {QueueRow} row */
  async undrainQueue({ queue, title }) {
    if (!(await confirmed(`Open ${title} again?`, `${title} takes new conversations again.`, 'Open again'))) return;
    await this.do('drain', { queue, on: false }, `${title} takes new conversations again.`);
  }
}

/**
 * @param {Dialog} dialog
 * @param {{ to: string, queue: string, agent: string }} choice
 * @param {readonly QueueRow[]} queues
 * @param {readonly AgentRow[]} agents Those that are on the page: others may be named too.
 * @param {string | null} owner
 * @param {() => string} wrong
 * @param {() => void} go
 */
function moveForm(dialog, choice, queues, agents, owner, wrong, go) {
  const way = (/** @type {string} */ to, /** @type {string} */ label) =>
    h('label', { key: to, class: 'check' }, h('input', { type: 'radio', name: 'to', value: to, checked: choice.to === to, onchange: () => ((choice.to = to), dialog.draw()) }), label);
  return h(
    'form',
    { class: 'fields', onsubmit: (/** @type {Event} */ event) => (event.preventDefault(), go()) },
    h('fieldset', { class: 'radios' }, h('legend', { class: 'unseen' }, 'Where to'), way('queue', 'To a queue'), way('agent', 'To an agent')),
    choice.to === 'queue'
      ? h('div', { key: 'queue' }, h('label', { for: 'move-queue' }, 'Queue'), h('select', { id: 'move-queue', onchange: (/** @type {any} */ event) => (choice.queue = event.target.value) }, queues.map((row) => h('option', { key: row.queue, value: row.queue, selected: row.queue === choice.queue }, row.title))))
      : h(
          'div',
          { key: 'agent' },
          h('label', { for: 'move-agent' }, 'Agent, by name'),
          h('input', { id: 'move-agent', list: 'move-agents', autocomplete: 'off', spellcheck: 'false', 'aria-describedby': 'move-fault', oninput: (/** @type {any} */ event) => (choice.agent = event.target.value) }),
          h('datalist', { id: 'move-agents' }, agents.map((row) => h('option', { key: row.agent, value: row.agent }, row.title))),
          h('p', { class: 'fault', id: 'move-fault', role: 'alert' }, wrong()),
        ),
    h('p', { class: 'dim small', dir: 'auto' }, choice.to === 'queue' ? (owner ? `It waits there from now; ${owner} is told that it is gone.` : 'It waits there at its age.') : `It is that agent's at once, without an offer${owner ? `; ${owner} is told that it is gone` : ''}.`),
  );
}

/** @param {Refused} refused */
function refusal({ code, message, owner }) {
  if (code === 'owner_changed') return owner ? `${owner} owns it by now. Look again, and then decide.` : 'Nobody owns it any more. Look again, and then decide.';
  if (code === 'forbidden') return 'Only supervisors and administrators do this.';
  return message ? `${message.charAt(0).toUpperCase()}${message.slice(1)}.` : `It was refused: ${code}.`;
}
