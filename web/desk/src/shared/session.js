// Who works here, and the token that says so: from the sign-in of this server (`/signin/{workspace}`), which alone knows. A token lives in
// memory and nowhere else.
//
//   finding ──a session──▶ signed in ──the session is over──▶ (loaded again)
//      └──none──▶ at the door ──▶ the sign-in's own pages ──▶ (loaded again)

/**
 * @typedef {{ agent: string, title: string, role: string, workspace: string }} Who
 *
 * @typedef {object} Session
 * @property {Who} who As of the beginning; what the server says in its welcome counts.
 * @property {() => Promise<string>} token For the client.
 * @property {(again: boolean) => Promise<string>} bearer For a call over HTTP; `again`: the last one was refused.
 *
 * @typedef {object} AtTheDoor Nobody is signed in.
 * @property {'sign_in' | 'deactivated' | 'no_workspace' | 'away'} door
 */

/** A token that ends sooner is not begun with. */
const MARGIN_MS = 20_000;

export class Door {
  /** @param {string} workspace */
  constructor(workspace) {
    this.workspace = workspace;
  }

  /** @returns {Promise<Session | AtTheDoor>} */
  async find() {
    const answer = await this.ask().catch(() => undefined);
    if (!answer) return { door: 'away' };
    if (answer.status === 200) return this.signedIn(await answer.json());
    if (answer.status === 401) return { door: 'sign_in' };
    if (answer.status === 404) return { door: 'no_workspace' };
    const { code } = await answer.json().catch(() => ({}));
    return { door: code === 'agent_deactivated' ? 'deactivated' : 'away' };
  }

  /** @returns {Promise<Response>} */
  ask() {
    return fetch(`/signin/${this.workspace}/session`, { headers: { Accept: 'application/json' } });
  }

  /**
   * The first token is there already.
   * @param {Who & { token: string, token_expires_at: number }} told
   * @returns {Session}
   */
  signedIn({ token, token_expires_at, ...who }) {
    let last = { token, endsAt: token_expires_at };
    let isNew = true;
    const fetched = async () => {
      const answer = await this.ask();
      // Signed out somewhere else, or its time is over: loaded again, the page is at the door.
      if (answer.status === 401) location.reload();
      if (!answer.ok) throw new Error(`no token: ${answer.status}`);
      const again = await answer.json();
      last = { token: again.token, endsAt: again.token_expires_at };
      return last.token;
    };
    return {
      who,
      // Whoever connects asks again when a token ends, or was refused.
      token: async () => {
        if (!isNew) return fetched();
        isNew = false;
        return last.token;
      },
      bearer: async (again) => (again || last.endsAt - Date.now() < MARGIN_MS ? fetched() : last.token),
    };
  }

  async signOut() {
    try {
      const answer = await fetch(`/signin/${this.workspace}/out`, { method: 'POST', headers: { 'X-Offhook': 'signin' } });
      location.assign((await answer.json()).to);
    } catch {
      location.reload();
    }
  }
}
