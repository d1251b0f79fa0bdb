// A refusal of the server's, as an error to catch: `code` is what programs look at (docs/wire.md, *Errors*).

export class Refused extends Error {
  /** @param {import('./outbox.js').WireError & Record<string, unknown>} error */
  constructor(error) {
    super(`${error.code}: ${error.message}`);
    this.name = 'Refused';
    this.code = error.code;
    /** Whatever else was said: `field`, `end`, `state`, `retry_after_ms`. */
    this.error = error;
  }
}
