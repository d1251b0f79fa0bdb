// The main job, with whatever WebSocket, fetch and event stream it is given: in Node with `ws`, in a page with the browser's own.
//
// An agent signs in and is available; a customer starts; the offer comes, is painted, is accepted; both talk, read and type;
// the server is killed and comes back; both go on without loss; the agent closes.

const PATIENCE_MS = 60_000;

export function commandId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

function check(holds, what) {
  if (!holds) throw new Error(what);
}

function same(found, wanted, what) {
  check(JSON.stringify(found) === JSON.stringify(wanted), `${what}: ${JSON.stringify(found)}, not ${JSON.stringify(wanted)}`);
}

// What came, in order, and whoever waits for something of it.
class Heard {
  constructor(whose) {
    this.whose = whose;
    this.all = [];
    this.waiting = [];
  }
  put(one) {
    const at = this.waiting.findIndex(({ wanted }) => wanted(one));
    if (at < 0) this.all.push(one);
    else this.waiting.splice(at, 1)[0].done(one);
  }
  until(what, wanted) {
    const at = this.all.findIndex(wanted);
    if (at >= 0) return Promise.resolve(this.all.splice(at, 1)[0]);
    return new Promise((done, fail) => {
      const late = () => fail(new Error(`${this.whose}: ${what} did not come; kept: ${JSON.stringify(this.all).slice(0, 4000)}`));
      const timer = setTimeout(late, PATIENCE_MS);
      this.waiting.push({ wanted, done: (one) => (clearTimeout(timer), done(one)) });
    });
  }
}

class Agent {
  constructor(world) {
    this.world = world;
    this.heard = new Heard('agent');
  }
  // Comes back by itself, as a client should after an abnormal end.
  async connect(ticket) {
    const { WebSocket, url, token } = this.world;
    const protocols = ['offhook.agent.v1', `offhook.token.${token}`];
    if (ticket) protocols.push(`offhook.ticket.${ticket}`);
    for (const began = Date.now(); ; ) {
      const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/agent`, protocols);
      // Before it opens: the first frame may come together with the upgrade.
      socket.onmessage = ({ data }) => this.heard.put(JSON.parse(data));
      const opened = await new Promise((done) => {
        socket.onopen = () => done(true);
        socket.onerror = () => done(false);
        socket.onclose = () => done(false);
      });
      if (opened) {
        this.socket = socket;
        break;
      }
      check(Date.now() - began < PATIENCE_MS, 'the agent cannot connect');
      await new Promise((done) => setTimeout(done, 50));
    }
    same(this.socket.protocol, 'offhook.agent.v1', 'the subprotocol that was chosen');
    this.closed = new Promise((done) => (this.socket.onclose = ({ code, reason }) => done({ code, reason })));
    const welcome = await this.frame('welcome');
    this.ticket = welcome.ticket;
    return welcome;
  }
  frame(type, more = () => true) {
    return this.heard.until(type, (frame) => frame.type === type && more(frame));
  }
  async must(frame) {
    const id = frame.id ?? commandId();
    this.socket.send(JSON.stringify({ ...frame, id }));
    const reply = await this.frame('reply', (reply) => reply.id === id);
    check(reply.ok === true, `${frame.type}: ${JSON.stringify(reply)}`);
    return reply;
  }
}

class Customer {
  constructor(world) {
    this.world = world;
    this.heard = new Heard('customer');
    this.numbers = [];
  }
  async call(method, path, body, id = commandId()) {
    const { fetch, url, workspace } = this.world;
    const headers = { 'Idempotency-Key': id };
    if (this.token) headers.Authorization = `Bearer ${this.token}`;
    if (body) headers['Content-Type'] = 'application/json';
    const response = await fetch(`${url}/v1/messenger/${workspace}${path}`, { method, headers, body: body && JSON.stringify(body) });
    const text = await response.text();
    check(response.ok, `${method} ${path}: ${response.status} ${text}`);
    return text ? JSON.parse(text) : undefined;
  }
  async start(body) {
    const started = await this.call('POST', '/conversations', body);
    this.token = started.token;
    this.conversation = started.conversation.conversation ?? started.conversation;
    this.path = `/conversations/${this.conversation}`;
    // The browser's `lastEventId`: nothing numbered twice, nothing left out.
    this.world.openEvents(`${this.world.url}${started.events}`, ({ event, data, id }) => {
      if (id !== undefined) this.numbers.push(Number(id));
      this.heard.put({ event, ...JSON.parse(data) });
    });
    await this.event('opened');
  }
  event(name, more = () => true) {
    return this.heard.until(name, (one) => one.event === name && more(one));
  }
}

export async function job(world) {
  const { texts } = world;
  const agent = new Agent(world);
  const welcome = await agent.connect();
  same(welcome.snapshot.available, false, 'available at first sign-in');
  await agent.must({ type: 'set_status', status: 'available', channels: ['chat'] });
  await agent.frame('status', ({ available, cause }) => available && cause === 'chosen');

  const customer = new Customer(world);
  await customer.start({ text: texts[1], name: texts[3], metadata: { page: '/pricing?q=1&r=2' } });
  const { offer } = await agent.frame('offer');
  same(offer.conversation.conversation, customer.conversation, 'the offered conversation');
  same([offer.conversation.name, offer.conversation.metadata.page], [texts[3], '/pricing?q=1&r=2'], 'who writes');
  check(offer.left_ms > 0 && !offer.delivered, 'the offer runs');
  await agent.must({ type: 'delivered', offer: offer.offer });
  const accept = { type: 'accept', offer: offer.offer, id: commandId() };
  same((await agent.must(accept)).conversation, customer.conversation, 'the accepted conversation');
  await agent.must(accept);
  const { conversation } = await agent.frame('conversation', ({ cause }) => cause === 'accepted');
  same(conversation.state, 'active', 'its state');
  const joined = await customer.event('joined');
  check(typeof joined.agent.title === 'string', 'the agent has a title');
  const history = await agent.must({ type: 'history', conversation: customer.conversation });
  same(history.messages.map(({ text }) => text), [texts[1]], 'what was written before the agent joined');

  // Each text both ways.
  let number = 1;
  for (const text of texts) {
    const posted = await customer.call('POST', `${customer.path}/messages`, { text });
    same(posted.number, ++number, 'the number of a message');
    const came = await agent.frame('message', (message) => message.number === posted.number);
    same(came.text, text, 'what the agent reads');
    const sent = await agent.must({ type: 'send', conversation: customer.conversation, text });
    same(sent.number, ++number, 'the number of an answer');
    const seen = await customer.event('message', (message) => message.number === sent.number);
    same([seen.text, seen.author], [text, 'agent'], 'what the customer reads');
  }

  // Who writes has read what came before, so something new to read first.
  const question = 'have you read this?';
  same((await customer.call('POST', `${customer.path}/messages`, { text: question })).number, ++number, 'the number');
  await agent.must({ type: 'read', conversation: customer.conversation, number });
  same((await customer.event('read')).number, number, 'read by the agent');
  const answer = 'yes, and you?';
  same((await agent.must({ type: 'send', conversation: customer.conversation, text: answer })).number, ++number, 'the number');
  await customer.call('POST', `${customer.path}/read`, { number });
  await agent.frame('read', (read) => read.reader === 'customer' && read.number === number);
  agent.socket.send(JSON.stringify({ type: 'typing', id: commandId(), conversation: customer.conversation }));
  await customer.event('typing');
  await customer.call('POST', `${customer.path}/typing`);
  await agent.frame('typing');

  // Killed in the middle of it: both come back, and nothing is lost or doubled.
  const before = { text: 'the last before', id: commandId() };
  const kept = await agent.must({ type: 'send', conversation: customer.conversation, ...before });
  await world.restartServer();
  await agent.closed;
  const again = await agent.connect(agent.ticket);
  same([again.snapshot.status, again.snapshot.available], ['available', true], 'status after the restart');
  same(again.snapshot.conversations.map((one) => one.last_number), [kept.number], 'own conversations after the restart');
  const repeated = await agent.must({ type: 'send', conversation: customer.conversation, ...before });
  same(repeated.number, kept.number, 'a repeated command');
  const after = await agent.must({ type: 'send', conversation: customer.conversation, text: 'the first after' });
  same(after.number, kept.number + 1, 'numbers go on');
  same((await customer.event('message', (message) => message.number === kept.number)).text, before.text, 'the stream');
  same((await customer.event('message', (message) => message.number === after.number)).text, 'the first after', 'the stream');

  await agent.must({ type: 'close', conversation: customer.conversation });
  await agent.frame('conversation_gone', ({ cause }) => cause === 'closed');
  same((await customer.event('ended')).by, 'agent', 'who ended it');
  const all = [];
  for (let more = true; more; ) {
    const page = await customer.call('GET', `${customer.path}/messages?after=${all.length}&limit=20`);
    all.push(...page.messages);
    more = page.more;
  }
  const wanted = [texts[1], ...texts.flatMap((text) => [text, text]), question, answer, before.text, 'the first after'];
  same(all.map(({ text }) => text), wanted, 'the whole history');
  same(customer.numbers, customer.numbers.map((_, at) => at + 1), 'numbered events, each once and in order');

  await agent.must({ type: 'sign_out' });
  same((await agent.closed).code, 4000, 'the close code of a sign-out');
}
