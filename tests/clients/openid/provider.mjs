// A real OpenID provider (oidc-provider, certified) for tests/signin_provider.rs. It says its issuer, hears where the server is, and from then on
// takes one JSON line for each change of its people. Its own pages ask for a name and take any password.

import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import Provider from 'oidc-provider';

/** Lines of ours among those of the library. */
const say = (word, value = '') => process.stdout.write(`offhook ${word} ${value}\n`);

const people = new Map();
let answer = (request, response) => response.writeHead(503).end();
const server = createServer((request, response) => answer(request, response));

function provider(issuer, desk) {
  const made = new Provider(issuer, {
    clients: [
      {
        client_id: 'offhook',
        client_secret: 'a secret with spaces & signs: /%',
        redirect_uris: [`${desk}/signin/demo/callback`],
        post_logout_redirect_uris: [`${desk}/signin/demo/out`],
        backchannel_logout_uri: `${desk}/signin/demo/backchannel`,
        backchannel_logout_session_required: true,
      },
    ],
    claims: {
      openid: ['sub'],
      profile: ['name', 'preferred_username'],
      email: ['email', 'email_verified'],
      groups: ['groups'],
    },
    scopes: ['openid', 'profile', 'email', 'groups'],
    cookies: { keys: ['for tests alone'] },
    pkce: { required: () => true },
    features: {
      devInteractions: { enabled: true },
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: { enabled: true },
      userinfo: { enabled: true },
    },
    findAccount: (context, id) => ({ accountId: id, claims: async () => ({ sub: id, ...people.get(id) }) }),
  });
  made.on('server_error', (context, error) => say('failed', error.stack));
  made.on('backchannel.success', () => say('told'));
  made.on('backchannel.error', (context, error) => say('failed', error.stack));
  return made.callback();
}

server.listen(0, '127.0.0.1', () => say('issuer', `http://127.0.0.1:${server.address().port}`));

for await (const line of createInterface({ input: process.stdin })) {
  const { desk, person, claims } = JSON.parse(line);
  if (desk) answer = provider(`http://127.0.0.1:${server.address().port}`, desk);
  if (person) people.set(person, claims);
  say('done');
}
process.exit(0);
