// Who works here, and the token that says so: from the sign-in of this server (`/signin/{workspace}/session`), or one that was given in the
// address (`#token=…`) or pasted. A token of the sign-in lives in memory alone; one that was given, as long as the tab.
//
//   finding ──a session──▶ signed in      ──the session is over──▶ at the door
//      ├──a given token──▶ signed in
//      └──neither──▶ at the door ──to the sign-in page, or a token is given──▶ (loaded again, or signed in)

/**
 * @typedef {{ agent: string, title: string, role: string, workspace: string }} Who
 *
 * @typedef {object} Session
 * @property {Who} who As of the beginning; what the server says in its welcome counts.
 * @property {'provider' | 'token' | 'given'} by
 * @property {string | (() => Promise<string>)} token For the client.
 * @property {(again: boolean) => Promise<string>} bearer For a call over HTTP; `again`: the last one was refused.
 *
 * @typedef {object} AtTheDoor Nobody is signed in.
 * @property {'sign_in' | 'no_sign_in' | 'deactivated' | 'no_workspace' | 'away'} door `no_sign_in`: this server has none, so a token is asked for.
 * @property {string} [offered] A token that came with the address: the person says whether to go on as that.
 */

/** A token that ends sooner is not begun with. */
const MARGIN_MS = 20_000;
const GIVEN = 'offhook|desk|token|';

/**
 * Who a token speaks of. Whether it is good is the server's to say.
 * @param {string} token
 * @returns {(Who & { exp: number }) | undefined}
 */
export function whoOf(token) {
  try {
    const part = (token.split('.')[1] ?? '').replace(/-/g, '+').replace(/_/g, '/');
    const bytes = Uint8Array.from(atob(part), (letter) => letter.charCodeAt(0));
    const { sub, workspace = '', role = 'agent', name, exp = Infinity } = JSON.parse(new TextDecoder().decode(bytes));
    if (typeof sub !== 'string' || sub === '') return undefined;
    return { agent: sub, title: typeof name === 'string' ? name : sub, role: String(role), workspace: String(workspace), exp: Number(exp) * 1_000 };
  } catch {
    return undefined;
  }
}

/**
 * A token in the address is for this page alone, and is gone from there before anything else happens.
 * @returns {string | undefined}
 */
export function takeOffered() {
  const found = /^#token=([\w.-]+)$/.exec(location.hash);
  if (!found) return undefined;
  history.replaceState(history.state, '', location.pathname + location.search);
  return found[1];
}

/**
 * @param {Who} who
 * @param {string} token
 * @returns {Session}
 */
const givenSession = (who, token) => ({ who, by: 'given', token, bearer: async () => token });

export class Door {
  /** @param {string} workspace */
  constructor(workspace) {
    this.workspace = workspace;
    this.key = GIVEN + workspace;
  }

  /**
   * @param {string} [offered]
   * @returns {Promise<Session | AtTheDoor>}
   */
  async find(offered) {
    if (offered && whoOf(offered)) return { door: 'no_sign_in', offered };
    const given = this.given();
    if (given) return given;
    const answer = await this.ask().catch(() => undefined);
    if (!answer) return { door: 'away' };
    if (answer.status === 200) {
      const told = await answer.json();
      return this.signedIn(told);
    }
    const { code, field } = await answer.json().catch(() => ({}));
    if (answer.status === 401) return { door: 'sign_in' };
    if (code === 'agent_deactivated') return { door: 'deactivated' };
    if (answer.status >= 500) return { door: 'away' };
    return { door: code === 'not_found' && field === 'workspace' ? 'no_workspace' : 'no_sign_in' };
  }

  /** @returns {Promise<Response>} */
  ask() {
    return fetch(`/signin/${this.workspace}/session`, { headers: { Accept: 'application/json' } });
  }

  /**
   * Of a session of the sign-in: the first token is there already.
   * @param {Who & { by: 'provider' | 'token', token: string }} told
   * @returns {Session}
   */
  signedIn({ token, by, ...who }) {
    let last = token;
    let isNew = true;
    const fetched = async () => {
      const answer = await this.ask();
      // Signed out somewhere else, or its time is over.
      if (answer.status === 401) this.toSignIn();
      if (!answer.ok) throw new Error(`no token: ${answer.status}`);
      last = (await answer.json()).token;
      return last;
    };
    return {
      who,
      by,
      // Whoever connects asks again when a token ends, or was refused.
      token: async () => {
        if (!isNew) return fetched();
        isNew = false;
        return last;
      },
      bearer: async (again) => (again || (whoOf(last)?.exp ?? 0) - Date.now() < MARGIN_MS ? fetched() : last),
    };
  }

  /** @returns {Session | undefined} */
  given() {
    try {
      const token = sessionStorage.getItem(this.key);
      const who = token ? whoOf(token) : undefined;
      if (!token || !who || who.exp <= Date.now()) return undefined;
      return givenSession(who, token);
    } catch {
      return undefined;
    }
  }

  /**
   * @param {string} token
   * @returns {Session | undefined} Where it is one at all.
   */
  give(token) {
    const who = whoOf(token);
    if (!who) return undefined;
    try {
      sessionStorage.setItem(this.key, token);
    } catch {
      // Then it is asked for again when the page is loaded again.
    }
    return givenSession(who, token);
  }

  forget() {
    try {
      sessionStorage.removeItem(this.key);
    } catch {
      // There was none then.
    }
  }

  toSignIn() {
    location.assign(`/signin/${this.workspace}?to=${encodeURIComponent(location.pathname)}`);
  }

  /** @param {Session} session */
  async signOut(session) {
    this.forget();
    if (session.by === 'given') return void location.replace(location.pathname);
    try {
      const answer = await fetch(`/signin/${this.workspace}/out`, { method: 'POST', headers: { 'X-Offhook': 'signin' } });
      location.assign((await answer.json()).to);
    } catch {
      location.reload();
    }
  }
}
