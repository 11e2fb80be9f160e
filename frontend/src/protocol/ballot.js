/**
 * Sealing and checking a ballot. Specification of Belenios 2.0, sections 4.11 to 4.15.
 *
 * Sealing has two steps, so that the hash to be signed can be shown before anything is signed:
 * `prepareBallot` encrypts and proves, `signBallot` signs. Only a signed ballot can be cast.
 */
import { hashBase64, parseStrict, requireFields, requireLength } from "./encoding.js";
import { ProtocolError, require } from "./errors.js";
import { choiceCount } from "./election.js";
import { generatorPower, modulo } from "./groups.js";
import {
  beginDisjunction,
  parseProof,
  proveKnowledge,
  requireProof,
  verifyDisjunction,
  verifyKnowledge,
} from "./proofs.js";

const BALLOT = [
  ["election_uuid", "string"],
  ["election_hash", "string"],
  ["credential", "string"],
  ["answers", "array"],
  ["signature", "object"],
];
const SIGNATURE = [
  ["hash", "string"],
  ["proof", "object"],
];
const CIPHERTEXT = [
  ["alpha", "string"],
  ["beta", "string"],
];
const ANSWER = [
  ["choices", "array"],
  ["individual_proofs", "array"],
  ["overall_proof", "array"],
];
const ANSWER_WITH_BLANK = [...ANSWER, ["blank_proof", "array"]];

/**
 * Check that the plaintexts of one question keep to its rules: zeros and ones, the blank first
 * where blank is allowed, a blank alone, otherwise between min and max.
 * @throws {ProtocolError} `choices`
 */
export function requireChoices(question, plaintexts) {
  require(
    Array.isArray(plaintexts) &&
      plaintexts.length === choiceCount(question) &&
      plaintexts.every((bit) => bit === 0 || bit === 1),
    "choices",
    "The choices do not have the form of the question.",
  );
  const sum = (bits) => bits.reduce((total, bit) => total + bit, 0);
  if (question.blank && plaintexts[0] === 1) {
    require(sum(plaintexts) === 1, "choices", "A blank vote cannot go with other choices.");
    return;
  }
  const chosen = sum(plaintexts);
  require(
    chosen >= question.min && chosen <= question.max,
    "choices",
    `${chosen} chosen, between ${question.min} and ${question.max} are allowed.`,
  );
}

function sealAnswer(election, question, plaintexts, s0, nextScalar, onCiphertext) {
  const { group } = election;
  const { q } = group;
  const generator = generatorPower(group);
  const bits = plaintexts.map(BigInt);
  const randomness = bits.map(() => nextScalar());
  const elements = [];
  bits.forEach((bit, index) => {
    const mask = election.keyPower(randomness[index]);
    elements.push(
      generator(randomness[index]),
      bit === 1n ? group.multiply(mask, group.generator) : mask,
    );
  });

  const individual = bits.map((bit, index) => {
    const known = { randomness: randomness[index], plaintext: bit };
    const branches = [
      { ...known, value: 0n },
      { ...known, value: 1n },
    ];
    const proof = beginDisjunction(election, branches, Number(bit), nextScalar);
    onCiphertext();
    return proof;
  });

  const summed = question.blank ? 1 : 0;
  const total = {
    randomness: modulo(randomness.slice(summed).reduce((sum, r) => sum + r, 0n), q),
    plaintext: bits.slice(summed).reduce((sum, bit) => sum + bit, 0n),
  };
  const values = [];
  for (let value = question.min; value <= question.max; value += 1) {
    values.push({ ...total, value: BigInt(value) });
  }
  const truth = Number(total.plaintext) - question.min;
  let blank = null;
  let overall = null;
  if (question.blank) {
    const first = { randomness: randomness[0], plaintext: bits[0] };
    const isBlank = bits[0] === 1n;
    blank = beginDisjunction(
      election,
      [
        { ...first, value: 0n },
        { ...total, value: 0n },
      ],
      isBlank ? 1 : 0,
      nextScalar,
    );
    const branches = [{ ...first, value: 1n }, ...values];
    overall = beginDisjunction(election, branches, isBlank ? 0 : 1 + truth, nextScalar);
  } else {
    overall = beginDisjunction(election, values, truth, nextScalar);
  }

  // One inversion for the whole answer: commitments do not depend on any hash.
  const started = [...individual, ...(blank ? [blank] : []), overall];
  const sums = question.blank ? [] : [
    generator(total.randomness),
    group.multiply(election.keyPower(total.randomness), generator(total.plaintext)),
  ];
  const texts = group.encodeAll([
    ...elements,
    ...started.flatMap((proof) => proof.commitments),
    ...sums,
  ]);
  let position = 0;
  const take = (count) => texts.slice(position, (position += count));
  const elementTexts = take(elements.length);
  const pairs = bits.map((_, i) => [elementTexts[2 * i], elementTexts[2 * i + 1]]);
  const s = `${s0}|${elementTexts.join(",")}`;

  const answer = { choices: pairs.map(([alpha, beta]) => ({ alpha, beta })) };
  answer.individual_proofs = individual.map((proof, index) =>
    proof.finish(`prove|${s0}|${pairs[index].join(",")}`, take(proof.commitments.length)),
  );
  if (blank) {
    const blankProof = blank.finish(`bproof0|${s}`, take(blank.commitments.length));
    answer.overall_proof = overall.finish(`bproof1|${s}`, take(overall.commitments.length));
    answer.blank_proof = blankProof;
  } else {
    const overallTexts = take(overall.commitments.length);
    const sumTexts = take(2);
    answer.overall_proof = overall.finish(`prove|${s}|${sumTexts.join(",")}`, overallTexts);
  }
  return { answer, randomness };
}

/**
 * Encrypt the choices and prove that they are valid; nothing is signed yet.
 *
 * @param election from `parseElection`
 * @param {string} credential the voter's public credential (text)
 * @param {number[][]} plaintexts one array of 0 and 1 per question (`requireChoices`)
 * @param {() => bigint} nextScalar
 * @param {(done: number, total: number) => void} onProgress counts ciphertexts
 * @returns `unsigned` (the exact text), `hash` (what will be signed), `randomness` (r per
 *   ciphertext and question: reveals the choices, never leaves the device)
 */
export function prepareBallot(election, credential, plaintexts, nextScalar, onProgress = () => {}) {
  require(
    Array.isArray(plaintexts) && plaintexts.length === election.questions.length,
    "choices",
    "There is not one answer for each question.",
  );
  election.questions.forEach((question, index) => requireChoices(question, plaintexts[index]));
  const total = election.questions.reduce((sum, question) => sum + choiceCount(question), 0);
  let done = 0;
  const s0 = `${election.fingerprint}|${credential}`;
  const sealed = election.questions.map((question, index) =>
    sealAnswer(election, question, plaintexts[index], s0, nextScalar, () => {
      done += 1;
      onProgress(done, total);
    }),
  );
  const ballot = {
    election_uuid: election.uuid,
    election_hash: election.fingerprint,
    credential,
    answers: sealed.map(({ answer }) => answer),
  };
  const unsigned = JSON.stringify(ballot);
  return {
    ballot,
    unsigned,
    hash: hashBase64(unsigned),
    randomness: sealed.map((one) => one.randomness.map(String)),
  };
}

/**
 * Sign a prepared ballot with the private credential.
 * @returns `ballot` (the exact text to cast) and its `tracker`
 */
export function signBallot(election, prepared, secret, nextScalar) {
  const proof = proveKnowledge(election.group, secret, `sig|${prepared.hash}`, nextScalar);
  const text = JSON.stringify({ ...prepared.ballot, signature: { hash: prepared.hash, proof } });
  return { ballot: text, tracker: hashBase64(text) };
}

function requireAnswerShape(question, answer, what) {
  requireFields(answer, question.blank ? ANSWER_WITH_BLANK : ANSWER, what);
  const count = choiceCount(question);
  requireLength(answer.choices, count, `${what}: choices`);
  answer.choices.forEach((choice) => requireFields(choice, CIPHERTEXT, `${what}: a choice`));
  requireLength(answer.individual_proofs, count, `${what}: individual proofs`);
  answer.individual_proofs.forEach((proofs) => {
    requireLength(proofs, 2, `${what}: an individual proof`);
    proofs.forEach((proof) => requireProof(proof, `${what}: a proof`));
  });
  const branches = question.max - question.min + 1 + (question.blank ? 1 : 0);
  requireLength(answer.overall_proof, branches, `${what}: overall proof`);
  answer.overall_proof.forEach((proof) => requireProof(proof, `${what}: a proof`));
  if (question.blank) {
    requireLength(answer.blank_proof, 2, `${what}: blank proof`);
    answer.blank_proof.forEach((proof) => requireProof(proof, `${what}: a proof`));
  }
}

/** Read a ballot and check its shape (steps `encoding`, `fields`, `lengths`). */
export function parseBallot(election, text) {
  const ballot = parseStrict(text);
  requireFields(ballot, BALLOT, "The ballot");
  requireLength(ballot.answers, election.questions.length, "Answers");
  ballot.answers.forEach((answer, index) =>
    requireAnswerShape(election.questions[index], answer, `Answer ${index + 1}`),
  );
  requireFields(ballot.signature, SIGNATURE, "The signature");
  requireProof(ballot.signature.proof, "The signature's proof");
  return ballot;
}

/** The text of a ballot without its signature: what `signature.hash` is the hash of. */
function unsignedText(ballot) {
  const { signature: _, ...rest } = ballot;
  return JSON.stringify(rest);
}

/**
 * Read the ciphertexts of an answer, and raise each α and β to every challenge that its proofs
 * need. Raising to q as well shows that the element is in the group (`decode` in bulk).
 * @returns for each choice `{alpha, beta, raised: {alpha, beta}[]}`: `raised` in the order of the
 *   challenges: two of the individual proof, then those of the blank and overall proofs for the
 *   blank's own ciphertext
 */
function raiseChoices(group, question, answer, proofs) {
  return answer.choices.map((choice, index) => {
    const challenges = proofs.individual[index].map(({ challenge }) => challenge);
    if (question.blank && index === 0) {
      challenges.push(proofs.blank[0].challenge, proofs.overall[0].challenge);
    }
    const raise = (text) => {
      const element = group.decodeKnown(text);
      const [last, ...raised] = group.powers(element, [group.q, ...challenges]);
      require(!group.isIdentity(element), "element", "An element is the identity.");
      require(group.isIdentity(last), "element", "An element is outside the prime-order group.");
      return { element, raised };
    };
    const [alpha, beta] = [raise(choice.alpha), raise(choice.beta)];
    return {
      alpha: alpha.element,
      beta: beta.element,
      raised: challenges.map((_, i) => ({ alpha: alpha.raised[i], beta: beta.raised[i] })),
    };
  });
}

function verifyAnswer(election, question, answer, { proofs, choices }, s0, what) {
  const { group } = election;
  const pairs = answer.choices;
  choices.forEach(({ raised }, index) => {
    const { alpha, beta } = pairs[index];
    verifyDisjunction(
      election,
      [
        { ...raised[0], value: 0n },
        { ...raised[1], value: 1n },
      ],
      proofs.individual[index],
      `prove|${s0}|${alpha},${beta}`,
      "individual_proof",
      `${what}: the proof of choice ${index + 1} does not hold.`,
    );
  });
  const s = `${s0}|${pairs.map(({ alpha, beta }) => `${alpha},${beta}`).join(",")}`;
  const sum = choices.slice(question.blank ? 1 : 0).reduce((left, right) => ({
    alpha: group.multiply(left.alpha, right.alpha),
    beta: group.multiply(left.beta, right.beta),
  }));
  const ranged = question.blank ? proofs.overall.slice(1) : proofs.overall;
  const challenges = ranged.map(({ challenge }) => challenge);
  if (question.blank) challenges.push(proofs.blank[1].challenge);
  const [alphas, betas] = [sum.alpha, sum.beta].map((one) => group.powers(one, challenges));
  const values = ranged.map((_, i) => ({
    alpha: alphas[i],
    beta: betas[i],
    value: BigInt(question.min + i),
  }));
  if (question.blank) {
    const [forBlank, forOverall] = choices[0].raised.slice(2);
    verifyDisjunction(
      election,
      [
        { ...forBlank, value: 0n },
        { alpha: alphas.at(-1), beta: betas.at(-1), value: 0n },
      ],
      proofs.blank,
      `bproof0|${s}`,
      "blank_proof",
      `${what}: the blank proof does not hold.`,
    );
    verifyDisjunction(
      election,
      [{ ...forOverall, value: 1n }, ...values],
      proofs.overall,
      `bproof1|${s}`,
      "overall_proof",
      `${what}: the overall proof does not hold.`,
    );
  } else {
    const sumTexts = group.encodeAll([sum.alpha, sum.beta]).join(",");
    verifyDisjunction(
      election,
      values,
      proofs.overall,
      `prove|${s}|${sumTexts}`,
      "overall_proof",
      `${what}: the overall proof does not hold.`,
    );
  }
}

/**
 * Verify a ballot completely, in the order of `tests/protocol/VECTORS.md`.
 * @param election
 * @param {Set<string>} credentials the public credentials of the election
 * @param {string} text
 * @returns the parsed ballot
 * @throws {ProtocolError} naming the first step that does not hold
 */
export function verifyBallot(election, credentials, text) {
  const { group } = election;
  const { q } = group;
  const ballot = parseBallot(election, text);
  const proofs = ballot.answers.map((answer) => ({
    individual: answer.individual_proofs.map((pair) => pair.map((proof) => parseProof(q, proof))),
    overall: answer.overall_proof.map((proof) => parseProof(q, proof)),
    blank: answer.blank_proof?.map((proof) => parseProof(q, proof)),
  }));
  const signature = parseProof(q, ballot.signature.proof);
  require(ballot.election_uuid === election.uuid, "election_uuid", "The ballot is of another election.");
  require(
    ballot.election_hash === election.fingerprint,
    "election_hash",
    "The ballot was made for another version of the election.",
  );
  require(credentials.has(ballot.credential), "credential", "The credential is not in the list.");
  let credential;
  try {
    credential = group.decode(ballot.credential);
  } catch (error) {
    throw new ProtocolError("credential", error.message);
  }
  const hash = hashBase64(unsignedText(ballot));
  require(ballot.signature.hash === hash, "signature_hash", "The signed hash is not the ballot's.");
  verifyKnowledge(
    group,
    credential,
    signature,
    `sig|${hash}`,
    "signature",
    "The signature does not hold.",
  );
  // Every element of the ballot is read and found to be in the group before any proof is checked.
  const choices = ballot.answers.map((answer, index) =>
    raiseChoices(group, election.questions[index], answer, proofs[index]),
  );
  const s0 = `${election.fingerprint}|${ballot.credential}`;
  ballot.answers.forEach((answer, index) =>
    verifyAnswer(
      election,
      election.questions[index],
      answer,
      { proofs: proofs[index], choices: choices[index] },
      s0,
      `Answer ${index + 1}`,
    ),
  );
  return ballot;
}
