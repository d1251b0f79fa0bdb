// What goes wrong, and where: each frame, answer and event that the test server takes or gives is a point, and a test says what becomes of
// which. Run a scenario once as it should be, and `passed` is the list of points to let it go wrong at.

/**
 * @typedef {'drop' | 'drop_after' | 'mute' | 'duplicate' | 'snapshot' | 'cut' | 'hold' | 'refuse' | 'close'} What
 *   `drop`: the connection ends here, without a word. `drop_after`: this still goes out, or is still done, but not answered. `mute`: from here on nothing comes any more,
 *   while the connection stays. `duplicate`: twice. `snapshot`: an agent's session hears a snapshot, and not this delta. `cut`: half of it, and
 *   then the connection ends. `hold`: it waits for `release`. `refuse`: `busy`, with `retry_after_ms`; over HTTP with 503. `close`: an agent's session
 *   ends with `code` and `reason`.
 *
 * @typedef {object} Mischief
 * @property {What} what
 * @property {number} [retry_after_ms]
 * @property {number} [code]
 * @property {string} [reason]
 */

export class Points {
  constructor() {
    /** @type {string[]} Such as `in:send`, `out:reply:send`, `out:message`, `in:POST messages`, `event:message`. */
    this.passed = [];
    /** @type {{ point: string | number, nth: number, mischief: Mischief }[]} */
    this.planned = [];
    /** @type {(() => void)[]} */
    this.held = [];
  }

  /**
   * @param {string | number} point Its name, or its place among all that are passed.
   * @param {What | Mischief} mischief
   * @param {number} [nth] Of this name, from now on; from 1.
   */
  at(point, mischief, nth = 1) {
    this.planned.push({ point, nth, mischief: typeof mischief === 'string' ? { what: mischief } : mischief });
  }

  /**
   * @param {string} name
   * @returns {Mischief | undefined}
   */
  pass(name) {
    const place = this.passed.push(name) - 1;
    const due = this.planned.find((plan) => plan.point === place || (plan.point === name && --plan.nth === 0));
    if (due) this.planned.splice(this.planned.indexOf(due), 1);
    return due?.mischief;
  }

  /** @returns {Promise<void>} */
  hold() {
    return new Promise((done) => this.held.push(done));
  }

  /** What was held goes on. */
  release() {
    for (const done of this.held.splice(0)) done();
  }
}
