// The one file that touches the agents' WebSocket: opens it, hears frames and its end, and sends.

/**
 * @typedef {import('../shared/environment.js').Environment} Environment
 * @typedef {import('./come_back.js').Ended} Ended
 *
 * @typedef {object} Open
 * @property {(frame: object) => void} send
 * @property {(code?: number) => void} close Nothing more is heard of it, not even its end.
 */

/**
 * @param {Pick<Environment, 'WebSocket'>} env
 * @param {{ url: string, token: string, ticket?: string }} to
 * @param {{ frame: (frame: any) => void, ended: (ended: Ended) => void }} heard
 * @returns {Open}
 */
export function openSocket(env, { url, token, ticket }, heard) {
  const { WebSocket } = env;
  if (!WebSocket) throw new TypeError('no WebSocket here: hand one in, in Node before 22 that of the package ws');
  // Nothing secret in the URL: it is in logs.
  const protocols = ['offhook.agent.v1', `offhook.token.${token}`];
  if (ticket) protocols.push(`offhook.ticket.${ticket}`);
  const socket = new WebSocket(`${url.replace(/^http/, 'ws').replace(/\/+$/, '')}/v1/agent`, protocols);
  let over = false;
  /** @param {Ended} ended */
  const end = (ended) => {
    if (over) return;
    over = true;
    heard.ended(ended);
  };
  // Before it opens: the first frame may come together with the upgrade.
  socket.onmessage = ({ data }) => {
    if (over) return;
    const frame = parsed(data);
    if (frame !== undefined) heard.frame(frame);
  };
  // What went wrong is not told to pages; that it did, `close` tells.
  socket.onerror = () => {};
  socket.onclose = ({ code, reason }) => end({ code, reason: String(reason ?? '') });
  hearRefusal(/** @type {any} */ (socket), end);
  return {
    send: (frame) => socket.send(JSON.stringify(frame)),
    close: (code = 1000) => {
      over = true;
      try {
        socket.close(code);
      } catch {
        // It is closed already.
      }
    },
  };
}

/** @param {unknown} data */
function parsed(data) {
  try {
    return JSON.parse(/** @type {string} */ (data));
  } catch {
    return undefined;
  }
}

/**
 * A page hears 1006 of a refused upgrade. Node's `ws` can hear the answer, and with it how long to stay away.
 * @param {any} socket
 * @param {(ended: Ended) => void} end
 */
function hearRefusal(socket, end) {
  if (typeof socket.once !== 'function' || typeof socket.terminate !== 'function') return;
  socket.once('unexpected-response', (/** @type {any} */ _, /** @type {any} */ response) => {
    let text = '';
    const told = () => {
      const body = parsed(text);
      const seconds = Number(response.headers['retry-after']);
      const ms = typeof body?.retry_after_ms === 'number' ? body.retry_after_ms : seconds * 1_000;
      end({ code: 1006, reason: '', ...(ms >= 0 && { retry_after_ms: ms }) });
      socket.terminate();
    };
    response.on('data', (/** @type {any} */ part) => (text = (text + part).slice(0, 8_192)));
    response.on('end', told);
    response.on('error', told);
  });
}
