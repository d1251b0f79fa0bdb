// An AI agent in Node. Where a model would answer, this one repeats what was said, word by word.

import WebSocket from 'ws'; // from Node 22 on there is one already
import { AgentClient } from '../src/index.js';

const { OFFHOOK_URL: url = '', OFFHOOK_TOKEN: token = '' } = process.env;
const agent = new AgentClient({ url, token, environment: { WebSocket } });

/** Offers that were taken. @type {Set<string>} */
const taken = new Set();
/** Of each conversation the last message that was given to the model, and the work on those before it. @type {Map<string, { given: number, work: Promise<void> }>} */
const talks = new Map();

agent.subscribe((state) => {
  for (const { offer } of Object.values(state.offers)) {
    if (!taken.has(offer)) take(offer);
  }
  for (const id of talks.keys()) if (!state.conversations[id]) talks.delete(id);
  for (const { conversation, owner, state: is } of Object.values(state.conversations)) {
    if (is === 'active' && owner === state.agent?.name) answerAll(conversation, state.threads[conversation]?.messages ?? []);
  }
});

/** @param {string} offer */
async function take(offer) {
  taken.add(offer);
  // Refused is what has ended meanwhile.
  await agent.delivered(offer).catch(() => {});
  await agent.accept(offer).catch(() => {});
  taken.delete(offer);
}

/**
 * Each message once and in order; of what was said before it came, what no agent has answered.
 * @param {string} id
 * @param {readonly import('../src/agent/frames.js').Message[]} messages
 */
function answerAll(id, messages) {
  let talk = talks.get(id);
  if (!talk) {
    talk = { given: -1, work: Promise.resolve() };
    talks.set(id, talk);
    agent.open(id);
  }
  if (messages.length === 0) return;
  if (talk.given < 0) talk.given = messages.findLast(({ author }) => 'agent' in author)?.number ?? 0;
  for (const { number, author, text } of messages) {
    if (number <= talk.given) continue;
    talk.given = number;
    if ('customer' in author) talk.work = talk.work.then(() => answer(id, text)).catch((error) => console.error(`${id}: ${error}`));
  }
}

/** @param {string} id @param {string} text */
async function answer(id, text) {
  if (text.includes('person')) {
    await agent.note(id, `asked for a person: ${text}`);
    await agent.transfer(id, { queue: 'support' });
    return;
  }
  let said = '';
  for await (const word of model(text)) agent.draft(id, (said += word));
  await agent.send(id, said);
}

/** @param {string} text */
async function* model(text) {
  for (const word of `you said: ${text}`.split(/(?<= )/)) {
    yield word;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

await agent.connect();
await agent.setStatus('available', ['chat']);
console.log('available');
