/**
 * Bytes, texts, numbers and hashes as the protocol writes them.
 *
 * JSON is compact, scalars are decimal strings, a hash to a scalar is the SHA-256 of the UTF-8
 * text read big-endian modulo q, φ and trackers are the unpadded Base64 of a SHA-256. What is
 * hashed is always the text as received, never a re-serialisation.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";

import { ProtocolError, require } from "./errors.js";

export const BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/** @param {string} text @returns {Uint8Array} */
export function utf8(text) {
  return utf8ToBytes(text);
}

/** @param {Uint8Array} bytes @returns {string} @throws {ProtocolError} `encoding` */
export function fromUtf8(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new ProtocolError("encoding", "The bytes are not UTF-8.");
  }
}

/** @param {Uint8Array} bytes @returns {bigint} */
export function bigEndian(bytes) {
  return BigInt(`0x${bytesToHex(bytes) || "0"}`);
}

/** SHA-256 in hexadecimal, as archives name their records. @param {string|Uint8Array} data */
export function sha256Hex(data) {
  return bytesToHex(sha256(typeof data === "string" ? utf8(data) : data));
}

/** Unpadded Base64 of the SHA-256 of a text: φ of an election, tracker and hash of a ballot. */
export function hashBase64(text) {
  const digest = sha256(utf8(text));
  return btoa(String.fromCharCode(...digest)).replace(/=+$/, "");
}

/** SHA-256 of a text as a number modulo q. @param {bigint} q @param {string} text */
export function hashToScalar(q, text) {
  return bigEndian(sha256(utf8(text))) % q;
}

/** Read a scalar: decimal digits, no leading zero, below q. @throws {ProtocolError} `scalar` */
export function parseScalar(q, text) {
  require(
    typeof text === "string" && text.length <= 700 && /^(0|[1-9][0-9]*)$/.test(text),
    "scalar",
    "A number is not in plain decimal digits.",
  );
  const value = BigInt(text);
  require(value < q, "scalar", "A number is not below the order of the group.");
  return value;
}

function requirePlainValues(value) {
  if (typeof value === "number") {
    require(Number.isSafeInteger(value), "encoding", "A number is not an integer.");
  } else if (typeof value === "string") {
    require(!/\p{Surrogate}/u.test(value), "encoding", "A text holds half a character.");
  } else if (value !== null && typeof value === "object") {
    if (!Array.isArray(value)) Object.keys(value).forEach(requirePlainValues);
    Object.values(value).forEach(requirePlainValues);
  }
}

/**
 * Read a JSON text that has exactly one way of being written: no white space, no duplicate key,
 * whole numbers, strings escaped as `JSON.stringify` does.
 * @param {string} text
 * @throws {ProtocolError} `encoding`
 */
export function parseStrict(text) {
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ProtocolError("encoding", "The text is not JSON.");
  }
  // A duplicate key, white space, 1.0 or \u0041 all disappear when written again.
  require(JSON.stringify(value) === text, "encoding", "The JSON is not in its one canonical form.");
  requirePlainValues(value);
  return value;
}

const TYPES = {
  string: (value) => typeof value === "string",
  integer: (value) => Number.isSafeInteger(value),
  boolean: (value) => typeof value === "boolean",
  array: (value) => Array.isArray(value),
  object: (value) => value !== null && typeof value === "object" && !Array.isArray(value),
};

/**
 * Check that `value` is an object with exactly these fields in this order.
 * @param {unknown} value
 * @param {[string, string][]} fields name and type; a name that ends in `?` may be left out
 * @param {string} what names the object in the error
 * @throws {ProtocolError} `fields`
 */
export function requireFields(value, fields, what) {
  require(TYPES.object(value), "fields", `${what} is not an object.`);
  const names = Object.keys(value);
  let position = 0;
  for (const [field, type] of fields) {
    const optional = field.endsWith("?");
    const name = optional ? field.slice(0, -1) : field;
    if (names[position] === name) {
      require(TYPES[type](value[name]), "fields", `${what}: ${name} is not of type ${type}.`);
      position += 1;
    } else {
      require(optional, "fields", `${what}: ${name} is missing or out of order.`);
    }
  }
  require(position === names.length, "fields", `${what}: unknown field ${names[position]}.`);
}

/** Check that `value` is an array of exactly `length`. @throws `fields` (type), `lengths` */
export function requireLength(value, length, what) {
  require(Array.isArray(value), "fields", `${what} is not an array.`);
  require(value.length === length, "lengths", `${what}: ${value.length} instead of ${length}.`);
}
