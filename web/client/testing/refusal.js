// What the test server refuses, as its answer says it.

export class Refusal extends Error {
  /**
   * @param {string} code
   * @param {number} status
   * @param {Record<string, unknown>} [more]
   */
  constructor(code, status, more = {}) {
    super(code);
    this.status = status;
    this.error = { code, message: `refused: ${code}`, ...more };
  }
}
