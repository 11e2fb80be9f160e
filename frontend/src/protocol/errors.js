/**
 * A check of the protocol that did not hold. `step` names it with the words of
 * `tests/protocol/VECTORS.md` ("Order of checks"), so that both twins can be compared.
 */
export class ProtocolError extends Error {
  /** @param {string} step @param {string} detail a sentence for the person or the log */
  constructor(step, detail) {
    super(detail);
    this.name = "ProtocolError";
    this.step = step;
  }
}

/** Raise unless `condition` holds: verification never returns an ignorable boolean. */
export function require(condition, step, detail) {
  if (!condition) throw new ProtocolError(step, detail);
}
