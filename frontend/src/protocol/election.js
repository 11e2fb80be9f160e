/**
 * The election as published. Its fingerprint φ is computed from the text received; the parsed
 * form only ever comes from that text.
 */
import { hashBase64, parseStrict, requireFields } from "./encoding.js";
import { require } from "./errors.js";
import { generatorPower, groupNamed } from "./groups.js";

const ELECTION = [
  ["version", "integer"],
  ["description", "string"],
  ["name", "string"],
  ["group", "string"],
  ["public_key", "string"],
  ["questions", "array"],
  ["uuid", "string"],
  ["administrator?", "string"],
  ["credential_authority?", "string"],
];
const QUESTION = [
  ["answers", "array"],
  ["blank?", "boolean"],
  ["min", "integer"],
  ["max", "integer"],
  ["question", "string"],
];

export const UUID = /^[1-9A-HJ-NP-Za-km-z]{14,}$/;

/** @typedef {{answers: string[], blank: boolean, min: number, max: number, question: string}} Question */

function parseQuestion(value, index) {
  const what = `Question ${index + 1}`;
  requireFields(value, QUESTION, what);
  require(
    value.answers.length > 0 && value.answers.every((answer) => typeof answer === "string"),
    "fields",
    `${what}: the answers are not a list of texts.`,
  );
  const { min, max } = value;
  require(
    min >= 0 && min <= max && max <= value.answers.length,
    "fields",
    `${what}: the limits do not fit the answers.`,
  );
  return Object.freeze({ ...value, blank: value.blank === true });
}

/** Ciphertexts that an answer to this question holds. @param {Question} question */
export function choiceCount(question) {
  return question.answers.length + (question.blank ? 1 : 0);
}

/**
 * Read an election.
 * @param {string} text the exact text published
 * @returns an object with the fields, `group` (the group itself), `key` (the decoded public key),
 *   `keyText`, `fingerprint`, and `keyPower` (scalar → y^scalar, tables made on first use)
 * @throws {ProtocolError}
 */
export function parseElection(text) {
  const value = parseStrict(text);
  requireFields(value, ELECTION, "The election");
  require(value.version === 1, "fields", "The election is not of version 1.");
  require(UUID.test(value.uuid), "fields", "The identifier of the election is not well formed.");
  require(value.questions.length > 0, "fields", "The election has no question.");
  const group = groupNamed(value.group);
  const key = group.decode(value.public_key);
  let table = null;
  return Object.freeze({
    text,
    fingerprint: hashBase64(text),
    uuid: value.uuid,
    name: value.name,
    description: value.description,
    group,
    key,
    keyText: value.public_key,
    questions: value.questions.map(parseQuestion),
    /** Make the tables of both bases ahead of time (a few tens of milliseconds). */
    precompute() {
      generatorPower(group);
      table ??= group.fixedBase(key);
    },
    keyPower(scalar) {
      table ??= group.fixedBase(key);
      return table(scalar);
    },
  });
}
