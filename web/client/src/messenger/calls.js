// Which call of the server's each command is (docs/wire.md, *Messenger*). Pure.

/**
 * @typedef {object} Call
 * @property {'GET' | 'POST'} method
 * @property {string} path Below the workspace's messenger.
 * @property {unknown} [body]
 * @property {boolean} [isText] The answer is a text, and no JSON.
 */

/** @param {string} path @param {unknown} [body] @returns {Call} */
const post = (path, body) => ({ method: 'POST', path, body });
/** @param {string} path @returns {Call} */
const look = (path) => ({ method: 'GET', path });

/** @param {{ file: string }} file */
const idOf = ({ file }) => file;

/**
 * @param {import('../shared/client.js').Command} command
 * @param {string | undefined} conversation The one that is gone on with.
 * @param {string | undefined} visitor The token that the visitor had until now.
 * @returns {Call | { code: string, message: string }} Otherwise, why there is none.
 */
export function callOf(command, conversation, visitor) {
  const { type } = command;
  switch (type) {
    case 'start': {
      const { text, name, channel, metadata, or_message } = command;
      return post('/conversations', { text, name, channel, metadata, or_message });
    }
    case 'list':
    case 'look':
      return look('/');
    case 'reception':
      return look(`/reception?metadata=${encodeURIComponent(JSON.stringify(command.metadata ?? {}))}`);
    case 'sign_out':
      return post('/sign_out');
    case 'identify':
      return post('/identify', { anonymous_token: visitor });
  }
  if (!conversation) return { code: 'no_conversation', message: 'none was begun' };
  const path = `/conversations/${conversation}`;
  switch (type) {
    case 'send':
      return post(`${path}/messages`, { text: command.text, files: command.files?.map(idOf) });
    case 'read':
      return post(`${path}/read`, { number: command.number });
    case 'leave':
      return post(`${path}/leave`);
    case 'rate':
      return post(`${path}/rating`, { score: command.score, comment: command.comment });
    case 'contact':
      return post(`${path}/contact`, { name: command.name, email: command.email });
    case 'transcript':
      return { ...look(`${path}/transcript?time_zone=${encodeURIComponent(command.time_zone)}`), isText: true };
    case 'page': {
      const span = command.after !== undefined ? `after=${command.after}&` : command.before !== undefined ? `before=${command.before}&` : '';
      return look(`${path}/messages?${span}limit=${command.limit ?? 50}`);
    }
    default:
      return { code: 'unknown_type', message: type };
  }
}
