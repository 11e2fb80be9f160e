/**
 * Voting codes: 22 Base58 characters in groups of 5, 6, 5, 6 (protocol.md, "Credential").
 */
import { sha256 } from "@noble/hashes/sha2.js";

import { BASE58, bigEndian, utf8 } from "./encoding.js";
import { ProtocolError } from "./errors.js";
import { generatorPower } from "./groups.js";

const GROUPS = [5, 6, 5, 6];
const LENGTH = 22;

/** A voting code that cannot be one; `reason` is `empty`, `length` or `character`. */
export class CodeError extends ProtocolError {
  constructor(reason, details = {}) {
    super("credential", `The voting code is not well formed (${reason}).`);
    this.reason = reason;
    this.details = details;
  }
}

/** Whether `code` is exactly a well-formed code, hyphens included. */
export function isCode(code) {
  const letter = `[${BASE58}]`;
  return new RegExp(`^${GROUPS.map((n) => `${letter}{${n}}`).join("-")}$`).test(code);
}

/**
 * The code that a person typed or pasted, put in its one form. White space, invisible characters
 * and any kind of dash are forgiven; letters are not, since capitals and small letters differ.
 * @param {string} typed
 * @throws {CodeError}
 */
export function normaliseCode(typed) {
  const bare = typed.normalize("NFKC").replace(/[\s\u00ad\u200b-\u200f\u2060\ufeff\p{Pd}\u2212]/gu, "");
  if (bare === "") throw new CodeError("empty");
  const stranger = [...bare].find((character) => !BASE58.includes(character));
  if (stranger !== undefined) throw new CodeError("character", { character: stranger });
  if (bare.length !== LENGTH) throw new CodeError("length", { count: bare.length });
  let position = 0;
  return GROUPS.map((size) => bare.slice(position, (position += size))).join("-");
}

/**
 * The private scalar of a code in one election.
 * @param {{q: bigint}} group @param {string} uuid of the election @param {string} code
 */
export function privateCredential(group, uuid, code) {
  if (!isCode(code)) throw new CodeError("length", { count: code.length });
  const half = (index) => sha256(utf8(`derive_credential|${uuid}|${index}|${code}`));
  return bigEndian(new Uint8Array([...half(0), ...half(1)])) % group.q;
}

/** The public credential, g^x, as text. */
export function publicCredential(group, secret) {
  return group.encode(generatorPower(group)(secret));
}
