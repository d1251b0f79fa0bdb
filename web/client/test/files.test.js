// Files: sent up and read by both clients, once whatever goes wrong, named in messages that wait for the connection, and refused by name.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import WebSocket from 'ws';
import { AgentClient, MessengerClient, Refused, memoryStorage } from '../src/index.js';
import { upload } from '../src/shared/files.js';
import { begun, ending, everywhere } from './points.js';
import { browser, hurried, until } from './support.js';

/** @typedef {import('../testing/server.js').TestServer} TestServer */

/** A picture of 2 by 1, as far as anybody looks. */
const PNG = Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x02\0\0\0\x01', 'latin1'), Buffer.alloc(200_000, 7)]);
const picture = (name = 'a.png') => new File([PNG], name, { type: 'image/png' });

/** @param {TestServer} server @param {Partial<import('../src/shared/environment.js').Environment>} [more] */
async function both(server, more = {}) {
  const agent = new AgentClient({ url: server.url, token: server.token('ada'), environment: hurried({ WebSocket }) });
  const customer = new MessengerClient({ url: server.url, workspace: 'demo', environment: hurried(more) });
  await agent.connect();
  customer.connect();
  await agent.setStatus('available', ['chat']);
  await customer.start({ text: 'q' });
  const { offers } = await until(agent, ({ offers }) => Object.keys(offers).length === 1);
  const { conversation } = await agent.accept(Object.keys(offers)[0] ?? '');
  await agent.open(conversation);
  return { agent, customer, conversation, stop: () => (agent.stop(), customer.stop()) };
}

/** @param {TestServer} server */
async function exchange(server) {
  const { agent, customer, conversation, stop } = await both(server);
  try {
    const sent = await customer.upload(conversation, picture('größe 1.png'));
    assert.deepEqual(sent, { file: 'f_1', name: 'größe 1.png', type: 'image/png', bytes: PNG.length, width: 2, height: 1 });
    await customer.send('', [sent]);
    const { threads } = await until(agent, ({ threads }) => threads[conversation]?.messages.some(({ files }) => files));
    const [told] = threads[conversation]?.messages.find(({ files }) => files)?.files ?? [];
    assert.deepEqual(told, sent);
    const read = await agent.readFile(conversation, 'f_1');
    assert.deepEqual([read.type, read.size], ['image/png', PNG.length]);
    const answer = await agent.upload(conversation, new File(['%PDF-1.7 <script>'], 'a.pdf', { type: 'text/html' }));
    await agent.send(conversation, 'here', [answer]);
    const { messages } = await until(customer, ({ messages }) => messages.length === 3);
    assert.deepEqual(messages[2]?.files, [{ file: 'f_2', name: 'a.pdf', type: 'application/pdf', bytes: 17 }]);
    // What is no picture is bytes without a meaning, for whoever opens its address.
    assert.equal((await customer.readFile(conversation, 'f_2')).type, 'application/octet-stream');
    assert.deepEqual([...server.files.held.values()].map(({ said }) => said), [true, true]);
    assert.deepEqual([customer.state.pending, agent.state.pending], [[], []]);
  } finally {
    stop();
  }
}

test('a picture goes up and a paper comes down, with each misbehaviour at each point', async () => {
  const failed = await everywhere([{ what: 'drop' }, { what: 'drop_after' }, { what: 'cut' }, { what: 'refuse', retry_after_ms: 300 }], exchange);
  assert.deepEqual(failed, []);
});

test('the server is killed in the middle: it says that it waits, and is there once', async (t) => {
  const server = await begun(t);
  const { customer, conversation, stop } = await both(server);
  t.after(stop);
  server.at('in:POST files', 'hold');
  /** @type {string[]} */
  const told = [];
  const going = customer.upload(conversation, picture(), { onProgress: ({ sent, total, waits }) => told.push(waits ? 'waits' : sent === total ? 'all' : 'some') });
  while (!server.passed.includes('in:POST files')) await new Promise((done) => setTimeout(done, 5));
  await server.kill();
  server.release();
  await until(customer, ({ link }) => link.phase === 'offline');
  await server.startAgain();
  const sent = await going;
  await customer.send('now', [sent]);
  assert.deepEqual([told[0], told.includes('waits'), told.at(-1)], ['some', true, 'all']);
  assert.equal(server.files.held.size, 1);
});

test('a message that waits for the connection keeps its files over a reload', async (t) => {
  const server = await begun(t);
  const storage = memoryStorage();
  const { customer, conversation, stop } = await both(server, { storage });
  t.after(stop);
  const sent = await customer.upload(conversation, picture());
  await server.kill();
  void customer.send('', [sent]);
  await until(customer, ({ pending }) => pending.length === 1);
  customer.stop();
  await server.startAgain();
  const again = ending(t, new MessengerClient({ url: server.url, workspace: 'demo', environment: hurried({ storage }) }));
  again.connect();
  const { messages } = await until(again, ({ messages, pending }) => messages.length === 2 && pending.length === 0);
  assert.deepEqual(messages[1]?.files, [sent]);
});

test('what the server refuses is an error that says why; what nobody wants any more is not sent', async (t) => {
  const server = await begun(t);
  const { agent, customer, conversation, stop } = await both(server);
  t.after(stop);
  server.files.allowed = { max_bytes: 1_000, types: ['image/png'] };
  server.files.infected.add('bad.png');
  const small = (/** @type {string} */ name) => new File([PNG.subarray(0, 100)], name);
  const refused = async (/** @type {Promise<unknown>} */ promise) => {
    const error = await promise.then(() => assert.fail('taken'), (error) => error);
    assert.ok(error instanceof Refused, String(error));
    const { message: _, type: __, title: ___, ...rest } = error.error;
    return rest;
  };
  assert.deepEqual(await refused(customer.upload(conversation, picture())), { status: 413, code: 'too_large', max_bytes: 1_000 });
  assert.deepEqual(await refused(agent.upload(conversation, new File(['text'], 'a.txt'))), { status: 400, code: 'bad_request', field: 'type', allowed: ['image/png'] });
  assert.deepEqual(await refused(customer.upload(conversation, small('bad.png'))), { status: 422, code: 'file_refused' });
  assert.deepEqual(await refused(customer.readFile(conversation, 'f_9')), { status: 404, code: 'not_found', field: 'file' });
  assert.equal((await refused(agent.upload('c9', small('a.png')))).code, 'no_such_conversation');
  const sent = await customer.upload(conversation, small('a.png'));
  await customer.send('one', [sent]);
  assert.equal((await refused(customer.send('twice', [sent]))).field, 'files');
  server.at('in:POST files', { what: 'refuse', retry_after_ms: 3_600_000 });
  assert.equal((await refused(customer.upload(conversation, small('c.png')))).retry_after_ms, 3_600_000);
  const abort = new AbortController();
  server.at('in:POST files', 'hold');
  const going = customer.upload(conversation, small('b.png'), { signal: abort.signal });
  abort.abort();
  await assert.rejects(going, { name: 'AbortError' });
  assert.equal(server.files.held.size, 1);
});

test('the address has no token in it, and what is in names stays in them', async (t) => {
  const server = await begun(t);
  const { agent, customer, conversation, stop } = await both(server);
  t.after(stop);
  assert.equal(agent.fileUrl(conversation, 'f_1'), `${server.url}/v1/agent/demo/conversations/${conversation}/files/f_1`);
  assert.equal(customer.fileUrl('a/b', 'c?d'), `${server.url}/v1/messenger/demo/conversations/a%2Fb/files/c%3Fd`);
  const name = '../a&name=b+c%20\ud800 <img>.png';
  assert.equal((await customer.upload(conversation, picture(name))).name, name.replace('\ud800', '\ufffd'));
});

test('a tab that follows sends files up as well', async (t) => {
  const server = await begun(t);
  const shared = browser();
  const { customer, conversation, stop } = await both(server, shared);
  t.after(stop);
  const other = ending(t, new MessengerClient({ url: server.url, workspace: 'demo', environment: hurried(shared) }));
  other.connect();
  await until(other, ({ messages }) => messages.length === 1);
  assert.deepEqual([customer.tabs?.role, other.tabs?.role], ['leading', 'following']);
  const sent = await other.upload(conversation, picture());
  await other.send('from the other', [sent]);
  await until(customer, ({ messages }) => messages[1]?.files?.[0]?.name === 'a.png');
});

test('a token that was refused is fetched anew, once', async (t) => {
  const server = await begun(t);
  const [old, fresh] = [server.token('ada', { jti: 1 }), server.token('ada', { jti: 2 })];
  let asked = 0;
  const agent = ending(t, new AgentClient({ url: server.url, token: () => (++asked === 1 ? old : fresh), environment: hurried({ WebSocket }) }));
  await agent.connect();
  await until(agent, ({ link }) => link.phase === 'live');
  const held = server.desk.start('zoe', { text: 'q' });
  Object.assign(held, { state: 'active', owner: 'ada' });
  server.badTokens.set(old, 'token_expired');
  assert.equal((await agent.upload(held.id, picture())).file, 'f_1');
  server.badTokens.set(fresh, 'token_expired');
  await assert.rejects(agent.upload(held.id, picture()), { name: 'Refused', code: 'unauthorized' });
});

test('where a browser tells how far it is, that is told', async () => {
  /** @type {any[]} */
  const made = [];
  class Played {
    constructor() {
      this.upload = {};
      this.headers = {};
      made.push(this);
    }
    open() {}
    /** @param {string} name @param {string} value */
    setRequestHeader(name, value) {
      Object.assign(this.headers, { [name]: value });
    }
    send() {}
    abort() {
      /** @type {any} */ (this).onabort();
    }
    getResponseHeader() {
      return null;
    }
  }
  const env = { ...new MessengerClient({ url: 'http://x', workspace: 'w', environment: hurried() }).env, XMLHttpRequest: /** @type {any} */ (Played) };
  const reach = { env, base: () => 'http://x', token: async () => 't', onBack: () => () => {} };
  /** @type {number[]} */
  const sent = [];
  const going = upload(reach, 'c1', picture(), { onProgress: (progress) => sent.push(progress.waits ? -1 : progress.sent) });
  const next = async (/** @type {number} */ count) => {
    while (made.length < count) await new Promise((done) => setTimeout(done, 1));
    return made[count - 1];
  };
  const first = await next(1);
  first.upload.onprogress({ loaded: 1_000 });
  first.onerror();
  const second = await next(2);
  second.upload.onprogress({ loaded: 5_000 });
  Object.assign(second, { status: 201, responseText: '{"file":{"file":"f_1"}}' }).onload();
  assert.deepEqual(await going, { file: 'f_1' });
  assert.deepEqual(sent, [0, 1_000, -1, 0, 5_000, PNG.length]);
  assert.deepEqual(first.headers, second.headers);
  assert.deepEqual(Object.keys(first.headers), ['Authorization', 'Idempotency-Key', 'Content-Type']);
});
