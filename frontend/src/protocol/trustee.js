/**
 * A trustee with a key of their own (`Single`): making the key, and the partial decryption.
 * Specification of Belenios 2.0, sections 4.5 and 4.18.
 */
import { hashToScalar, parseScalar, parseStrict, requireFields, requireLength } from "./encoding.js";
import { require } from "./errors.js";
import { generatorPower, modulo } from "./groups.js";
import {
  parseProof,
  proveKnowledge,
  requireProof,
  serialiseProof,
  verifyKnowledge,
} from "./proofs.js";

const TRUSTEE_KEY = [
  ["pok", "object"],
  ["public_key", "string"],
];
const PARTIAL_DECRYPTION = [
  ["decryption_factors", "array"],
  ["decryption_proofs", "array"],
];

/**
 * The public half of a private key, with the proof that the private half is known.
 * @param group @param {bigint} secret in [1, q) @param {() => bigint} nextScalar
 * @returns `publicKey` (element as text) and `json` (the exact `trustee_public_key`)
 */
export function makeTrusteeKey(group, secret, nextScalar) {
  const publicKey = group.encode(generatorPower(group)(secret));
  const pok = proveKnowledge(group, secret, `pok|${group.name}|${publicKey}`, nextScalar);
  return { publicKey, json: JSON.stringify({ pok, public_key: publicKey }) };
}

/** Check the parsed form of a `trustee_public_key`. @returns the decoded element */
export function verifyTrusteeKeyValue(group, value) {
  requireFields(value, TRUSTEE_KEY, "The trustee's key");
  requireProof(value.pok, "The proof of the trustee's key");
  const proof = parseProof(group.q, value.pok);
  const key = group.decode(value.public_key);
  verifyKnowledge(
    group,
    key,
    proof,
    `pok|${group.name}|${value.public_key}`,
    "proof_of_knowledge",
    "The proof of knowledge of the trustee's key does not hold.",
  );
  return key;
}

/** Check a `trustee_public_key` text. @throws {ProtocolError} */
export function verifyTrusteeKey(group, text) {
  return verifyTrusteeKeyValue(group, parseStrict(text));
}

/**
 * Open one's part of an encrypted tally. Only for a tally that was recomputed from an archive
 * verified on this device (`archive.js`).
 * @param election
 * @param {bigint} secret
 * @param {string} publicKey text of g^secret
 * @param {{alpha, beta}[][]} tally decoded ciphertexts
 * @param {() => bigint} nextScalar one per ciphertext
 * @returns the exact `partial_decryption` text
 */
export function decryptTally(election, secret, publicKey, tally, nextScalar) {
  const { group } = election;
  const generator = generatorPower(group);
  const decryptionFactors = [];
  const decryptionProofs = [];
  for (const row of tally) {
    const factors = [];
    const proofs = [];
    for (const { alpha } of row) {
      const w = nextScalar();
      const [factor, a, b] = group.encodeAll([
        group.powerSecret(alpha, secret),
        generator(w),
        group.powerSecret(alpha, w),
      ]);
      const prefix = `decrypt|${election.fingerprint}|${publicKey}`;
      const challenge = hashToScalar(group.q, `${prefix}|${a},${b}`);
      factors.push(factor);
      proofs.push(
        serialiseProof({ challenge, response: modulo(w - secret * challenge, group.q) }),
      );
    }
    decryptionFactors.push(factors);
    decryptionProofs.push(proofs);
  }
  return JSON.stringify({
    decryption_factors: decryptionFactors,
    decryption_proofs: decryptionProofs,
  });
}

/**
 * Verify a partial decryption against the tally and the trustee's public key.
 * @throws {ProtocolError} steps `encoding`, `fields`, `lengths`, `scalar`, `element`,
 *   `decryption_proof`
 */
export function verifyPartialDecryption(election, publicKey, tally, text) {
  const { group } = election;
  const value = parseStrict(text);
  requireFields(value, PARTIAL_DECRYPTION, "The partial decryption");
  requireLength(value.decryption_factors, tally.length, "Decryption factors");
  value.decryption_factors.forEach((row, i) => {
    requireLength(row, tally[i].length, "Decryption factors of a question");
    row.forEach((factor) =>
      require(typeof factor === "string", "fields", "A decryption factor is not a text."),
    );
  });
  requireLength(value.decryption_proofs, tally.length, "Decryption proofs");
  value.decryption_proofs.forEach((row, i) => {
    requireLength(row, tally[i].length, "Decryption proofs of a question");
    row.forEach((proof) => requireProof(proof, "A decryption proof"));
  });
  const proofs = value.decryption_proofs.map((row) => row.map((proof) => parseProof(group.q, proof)));
  const factors = value.decryption_factors.map((row) => row.map(group.decodeWithIdentity));
  const key = group.decode(publicKey);
  tally.forEach((row, i) =>
    row.forEach(({ alpha }, j) => {
      const { challenge, response } = proofs[i][j];
      const texts = group.encodeAll([
        group.multiply(generatorPower(group)(response), group.power(key, challenge)),
        group.powerProduct(alpha, response, factors[i][j], challenge),
      ]);
      const input = `decrypt|${election.fingerprint}|${publicKey}|${texts.join(",")}`;
      require(
        hashToScalar(group.q, input) === challenge,
        "decryption_proof",
        `The decryption proof of question ${i + 1}, choice ${j + 1} does not hold.`,
      );
    }),
  );
  return value;
}

const KEY_FILE = [
  ["kind", "string"],
  ["version", "integer"],
  ["election_uuid", "string"],
  ["group", "string"],
  ["private_key", "string"],
  ["public_key", "string"],
];
const KEY_FILE_KIND = "govern-trustee-key";

/** What the protected key file holds (before age encrypts it). */
export function writeKeyFile(group, uuid, secret, publicKey) {
  return JSON.stringify({
    kind: KEY_FILE_KIND,
    version: 1,
    election_uuid: uuid,
    group: group.name,
    private_key: secret.toString(),
    public_key: publicKey,
  });
}

/**
 * Read a key file; the public key in it must be that of the private key.
 * @returns `uuid`, `groupName`, `secret`, `publicKey`
 * @throws {ProtocolError} `key_file` and the steps of reading
 */
export function readKeyFile(groupByName, text) {
  const value = parseStrict(text);
  requireFields(value, KEY_FILE, "The key file");
  require(
    value.kind === KEY_FILE_KIND && value.version === 1,
    "key_file",
    "The file is not a trustee's key of a known version.",
  );
  const group = groupByName(value.group);
  const secret = parseScalar(group.q, value.private_key);
  require(
    secret !== 0n && group.encode(generatorPower(group)(secret)) === value.public_key,
    "key_file",
    "The two halves of the key in the file do not fit.",
  );
  return { uuid: value.election_uuid, group, secret, publicKey: value.public_key };
}
