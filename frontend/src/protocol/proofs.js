/**
 * Zero-knowledge proofs: disjunctions over ciphertexts (interval, blank and overall proofs),
 * knowledge of a discrete logarithm, equality of two (decryption).
 * Specification of Belenios 2.0, sections 4.5, 4.12 to 4.14 and 4.18.
 *
 * Responses are w − secret·challenge; a verifier recomputes A = g^response · X^challenge.
 */
import { hashToScalar, parseScalar, requireFields } from "./encoding.js";
import { require } from "./errors.js";
import { generatorPower, modulo } from "./groups.js";

const PROOF = [
  ["challenge", "string"],
  ["response", "string"],
];

/** Check the shape of one proof. @throws {ProtocolError} `fields` */
export function requireProof(value, what) {
  requireFields(value, PROOF, what);
}

/** Read the scalars of a proof whose shape was checked. @throws {ProtocolError} `scalar` */
export function parseProof(q, value) {
  return { challenge: parseScalar(q, value.challenge), response: parseScalar(q, value.response) };
}

/** The compact form, in the order of the specification. */
export function serialiseProof({ challenge, response }) {
  return { challenge: challenge.toString(), response: response.toString() };
}

/** `A0,B0,A1,B1,…` from the texts of the commitments. */
function joinPairs(texts) {
  return texts.join(",");
}

/**
 * Begin to prove that one of several statements holds, each of the form "this ciphertext
 * contains `value`", by somebody who knows every ciphertext's `plaintext` and `randomness`.
 *
 * The prover knows r, so both bases are fixed: the simulated branch for the value M has
 * A = g^(response + r·challenge), B = y^(response + r·challenge) · g^((m − M)·challenge).
 * Draws, in order: challenge and response of each simulated branch, then w of the true one.
 *
 * @param election with `group` and `keyPower`
 * @param {{randomness: bigint, plaintext: bigint, value: bigint}[]} branches
 * @param {number} truth position of the statement that holds
 * @param {() => bigint} nextScalar
 * @returns `commitments` (elements A0, B0, A1, B1, …, to be encoded in a batch) and
 *   `finish(prefix, texts)`, which makes the proofs from the hash input before the commitments
 */
export function beginDisjunction(election, branches, truth, nextScalar) {
  const { group } = election;
  const { q } = group;
  const generator = generatorPower(group);
  const proofs = new Array(branches.length);
  const commitments = new Array(2 * branches.length);
  branches.forEach(({ randomness, plaintext, value }, index) => {
    if (index === truth) return;
    const challenge = nextScalar();
    const response = nextScalar();
    const exponent = modulo(response + randomness * challenge, q);
    const shift = modulo((plaintext - value) * challenge, q);
    proofs[index] = { challenge, response };
    commitments[2 * index] = generator(exponent);
    commitments[2 * index + 1] = group.multiply(election.keyPower(exponent), generator(shift));
  });
  const w = nextScalar();
  commitments[2 * truth] = generator(w);
  commitments[2 * truth + 1] = election.keyPower(w);
  return {
    commitments,
    finish(prefix, texts) {
      let challenge = hashToScalar(q, `${prefix}|${joinPairs(texts)}`);
      proofs.forEach((proof, index) => {
        if (index !== truth) challenge -= proof.challenge;
      });
      challenge = modulo(challenge, q);
      const response = modulo(w - branches[truth].randomness * challenge, q);
      proofs[truth] = { challenge, response };
      return proofs.map(serialiseProof);
    },
  };
}

/**
 * Verify a disjunction: A = g^response·α^challenge, B = y^response·(β/g^M)^challenge, and the
 * hash of all of them is the sum of the challenges.
 * @param election
 * @param {{alpha, beta, value: bigint}[]} branches α^challenge and β^challenge of each branch (the
 *   caller shares the work, see `powers` of a group), and the claimed values
 * @param {{challenge: bigint, response: bigint}[]} proofs
 * @param {string} prefix hash input before the commitments
 * @param {string} step @param {string} detail for the error
 */
export function verifyDisjunction(election, branches, proofs, prefix, step, detail) {
  const { group } = election;
  const { q } = group;
  const generator = generatorPower(group);
  const commitments = [];
  let sum = 0n;
  branches.forEach(({ alpha, beta, value }, index) => {
    const { challenge, response } = proofs[index];
    sum += challenge;
    const shift = modulo(-value * challenge, q);
    let b = group.multiply(election.keyPower(response), beta);
    if (shift !== 0n) b = group.multiply(b, generator(shift));
    commitments.push(group.multiply(generator(response), alpha), b);
  });
  const texts = group.encodeAll(commitments);
  require(hashToScalar(q, `${prefix}|${joinPairs(texts)}`) === modulo(sum, q), step, detail);
}

/**
 * Prove knowledge of the secret behind g^secret.
 * @param {string} prefix hash input before `|A`
 */
export function proveKnowledge(group, secret, prefix, nextScalar) {
  const w = nextScalar();
  const commitment = group.encode(generatorPower(group)(w));
  const challenge = hashToScalar(group.q, `${prefix}|${commitment}`);
  return serialiseProof({ challenge, response: modulo(w - secret * challenge, group.q) });
}

/** Verify such a proof for the element `publicKey`. */
export function verifyKnowledge(group, publicKey, proof, prefix, step, detail) {
  const commitment = group.multiply(
    generatorPower(group)(proof.response),
    group.power(publicKey, proof.challenge),
  );
  const text = group.encode(commitment);
  require(hashToScalar(group.q, `${prefix}|${text}`) === proof.challenge, step, detail);
}
