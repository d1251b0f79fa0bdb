// An agent who answers through the client library, for tests of what customers have.
import WebSocket from 'ws';

const { OFFHOOK_URL: url, OFFHOOK_TOKEN: token, OFFHOOK_LIBRARY: library } = process.env;
const { AgentClient } = await import(`${library}/src/index.js`);

export const agent = new AgentClient({ url, token, environment: { WebSocket } });
await agent.connect();
await agent.setStatus('available', ['chat']);

/** Waits until the state is `wanted`: what that gives then. */
export const until = (wanted, what) =>
  new Promise((done, fail) => {
    const over = setTimeout(() => fail(new Error(`did not come: ${what}; ${JSON.stringify(agent.state).slice(0, 2000)}`)), 30_000);
    const look = (state) => {
      const found = wanted(state);
      if (!found) return;
      clearTimeout(over);
      end();
      done(found);
    };
    const end = agent.subscribe(look);
    look(agent.state);
  });

/** Takes what is offered to it. @returns Its conversation. */
export async function accepted() {
  const [{ offer, conversation }] = await until(({ offers }) => Object.values(offers).length > 0 && Object.values(offers), 'an offer');
  await agent.delivered(offer);
  await agent.accept(offer);
  const id = conversation.conversation;
  await until(({ conversations }) => conversations[id]?.state === 'active', 'accepted');
  await agent.open(id);
  return id;
}
