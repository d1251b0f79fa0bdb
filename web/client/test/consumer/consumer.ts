// A stranger's page in TypeScript, by the package's own name: it must compile with everything strict, and what is wrong must not.

import { AgentClient, MessengerClient, Refused, initialAgentState, reduceAgent, shown } from 'offhook-client';
import { TestServer } from 'offhook-client/testing';

const agent = new AgentClient({ url: 'https://desk.example', token: async () => 'a token' });
const stop: () => void = agent.subscribe((state) => {
  const phase: 'idle' | 'connecting' | 'live' | 'waiting' | 'stopped' = state.link.phase;
  for (const offer of Object.values(state.offers)) console.log(phase, offer.conversation.name, offer.ends_at - agent.now());
  const texts: string[] = shown(state, 'c1').messages.map(({ text }) => text);
  console.log(texts, state.status);
  // @ts-expect-error: the state is not to be changed
  state.offers['o1'] = undefined;
});
export async function work(): Promise<void> {
  await agent.connect();
  await agent.setStatus('available', ['chat']);
  await agent.transfer('c1', { agent: 'eve', warm: true }).catch((error: unknown) => {
    if (error instanceof Refused) console.log(error.code, error.error.field);
  });
  // @ts-expect-error: a reason is needed
  await agent.reject('o1');
  const customer = new MessengerClient({ url: 'https://desk.example', workspace: 'demo' });
  await customer.start({ text: 'Hello', metadata: { page: '/' } });
  // @ts-expect-error: a flat object of strings
  await customer.start({ metadata: { page: 7 } });
  const server: TestServer = await TestServer.start();
  server.at('out:reply:send', 'drop_after');
  // @ts-expect-error: no such misbehaviour
  server.at('out:reply:send', 'explode');
  reduceAgent(initialAgentState(), { type: 'typing', conversation: 'c1', heard_at: 0 });
  stop();
}
