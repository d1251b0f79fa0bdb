// What is said of the connection: nothing while it is there, and quietly what happens while it is not. Pure.

/**
 * @typedef {import('../../../client/src/agent/state.js').AgentState} AgentState
 *
 * @typedef {object} Said
 * @property {'wait' | 'bad'} tone
 * @property {string} text
 * @property {'again' | 'sign_in'} [deed] What the person may do about it.
 */

/** @type {Record<string, { text: string, deed?: 'again' | 'sign_in' }>} */
const ENDS = {
  signed_out: { text: 'You have been signed out.', deed: 'sign_in' },
  forbidden: { text: 'This agent may not work here any more.', deed: 'sign_in' },
  too_many_devices: { text: 'You are signed in on as many devices as you may be. Close one of them, then go on here.', deed: 'again' },
  closed: { text: 'This page is disconnected.', deed: 'again' },
  bad_frames: { text: 'The server did not understand this page. Load it again.', deed: 'again' },
};

/**
 * @param {Pick<AgentState, 'link' | 'settings'>} state
 * @param {number} now On the client's clock.
 * @param {number | undefined} awaySince When the connection was lost, or was first looked for.
 * @returns {Said | undefined}
 */
export function linkSaid({ link, settings }, now, awaySince) {
  if (link.phase === 'live') return undefined;
  if (link.phase === 'stopped') {
    const { why = '' } = link;
    const known = Object.hasOwn(ENDS, why) ? ENDS[why] : undefined;
    if (known) return { tone: 'bad', ...known };
    if (why.includes('token') || why === 'unauthorized') return { tone: 'bad', text: 'Your sign-in has ended.', deed: 'sign_in' };
    return { tone: 'bad', text: `The connection has ended: ${why || 'nobody knows why'}.`, deed: 'again' };
  }
  // What is over before anybody has seen it is not worth a word.
  if (awaySince === undefined || now - awaySince < SHORT_MS) return undefined;
  const seconds = link.phase === 'waiting' && link.retry_at !== undefined ? Math.ceil((link.retry_at - now) / 1_000) : 0;
  const when = seconds > 1 ? `Trying again in ${seconds} s.` : 'Connecting…';
  if (!settings) return { tone: 'wait', text: `No connection yet. ${when}` };
  return { tone: 'wait', text: `The connection is lost. ${when} What you write is kept, and sent when it is back.` };
}

export const SHORT_MS = 1_200;
