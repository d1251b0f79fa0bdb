// The last messages of what an agent holds, asked for a few at a time: the list shows what was said last, and a thread is there when it is opened.

/** As many as the server answers beside everything else. */
const AT_ONCE = 2;
const EACH = 30;
const AGAIN_MS = 250;

export class Prefetch {
  /** @param {import('../../../client/src/agent/client.js').AgentClient} client */
  constructor(client) {
    this.client = client;
    /** Asked for over this connection; one that was refused is not asked for again. @type {Set<string>} */
    this.asked = new Set();
    this.running = 0;
    this.session = '';
  }

  /**
   * @param {import('../../../client/src/agent/state.js').AgentState} state
   * @param {string | undefined} chosen Is asked for by who looks at it.
   */
  heard(state, chosen) {
    if (state.link.phase !== 'live') return;
    if (state.session !== this.session) {
      this.session = state.session ?? '';
      this.asked.clear();
    }
    while (this.running < AT_ONCE) {
      const next = Object.values(state.conversations)
        .filter(({ conversation, last_number }) => last_number > 0 && conversation !== chosen && !this.asked.has(conversation) && !state.threads[conversation]?.messages.length)
        .sort((a, b) => b.last_number - b.read_by_agent - (a.last_number - a.read_by_agent))[0];
      if (!next) return;
      this.asked.add(next.conversation);
      this.running += 1;
      this.client
        .command('history', { conversation: next.conversation, limit: EACH })
        .catch(() => {})
        // Not all of an agent's commands at once: it may want to do something.
        .then(() => setTimeout(() => ((this.running -= 1), this.heard(this.client.state, chosen)), AGAIN_MS));
    }
  }
}
