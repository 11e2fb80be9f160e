/**
 * Where random scalars come from. It is passed in everywhere, so that vectors can be replayed;
 * the default is the browser's generator.
 */
import { bigEndian } from "./encoding.js";

/** @param {number} length @returns {Uint8Array} */
export function systemRandomBytes(length) {
  return globalThis.crypto.getRandomValues(new Uint8Array(length));
}

/**
 * A source of scalars in [1, q). 128 bits more than q are drawn, so that the bias of the
 * reduction is below 2^-128.
 * @param {bigint} q
 * @param {(length: number) => Uint8Array} randomBytes
 * @returns {() => bigint}
 */
export function scalarSource(q, randomBytes = systemRandomBytes) {
  const length = Math.ceil(q.toString(2).length / 8) + 16;
  return () => {
    const scalar = bigEndian(randomBytes(length)) % (q - 1n);
    return scalar + 1n;
  };
}

/** A source that returns the given scalars and nothing more (vectors and tests). */
export function replayScalars(scalars) {
  let position = 0;
  const next = () => {
    if (position >= scalars.length) throw new RangeError("no scalar left to replay");
    return BigInt(scalars[position++]);
  };
  next.remaining = () => scalars.length - position;
  return next;
}
