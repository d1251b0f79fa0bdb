// The library's front: both clients, their pure states, and what may be handed in.

export { AgentClient } from './agent/client.js';
export { initial as initialAgentState, reduce as reduceAgent, left, missing, shown } from './agent/state.js';
export { FILES_MAX, PICTURES } from './shared/files.js';
export { Refused } from './shared/refused.js';
export { memoryStorage, webStorage } from './shared/storage.js';
export { MessengerClient } from './messenger/whole.js';
export { initial as initialMessengerState, reduce as reduceMessenger, missing as missingMessages, shown as shownMessages } from './messenger/state.js';
