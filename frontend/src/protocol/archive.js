/**
 * Reading a published archive (`<uuid>.bel`) as a stream, and verifying it up to the encrypted
 * tally. protocol.md "The archive"; specification of Belenios 2.0, sections 4.4 and 4.16.
 *
 * A trustee's page uses its key only on the tally that comes out of here: recomputed on the
 * trustee's own device from ballots that were each verified, in a chain that is whole.
 */
import { readRecords } from "./archive-records.js";
import { verifyBallot } from "./ballot.js";
import { parseStrict, requireFields, requireLength } from "./encoding.js";
import { choiceCount, parseElection } from "./election.js";
import { require } from "./errors.js";
import { verifyTrusteeKeyValue } from "./trustee.js";

const EVENT = [
  ["parent?", "string"],
  ["height", "integer"],
  ["type", "string"],
  ["payload?", "string"],
];
const SETUP = [
  ["election", "string"],
  ["trustees", "string"],
  ["credentials", "string"],
];
const SIZED_TALLY = [
  ["num_tallied", "integer"],
  ["total_weight", "integer"],
  ["encrypted_tally", "string"],
];
const OWNED = [
  ["owner", "integer"],
  ["payload", "string"],
];
const CIPHERTEXT = [
  ["alpha", "string"],
  ["beta", "string"],
];
/** Records that stand before each event, its payload last, and the events that may follow it. */
const EVENTS = {
  Setup: { records: 4, next: ["Ballot", "EndBallots"] },
  Ballot: { records: 1, next: ["Ballot", "EndBallots"] },
  EndBallots: { records: 0, next: ["EncryptedTally"] },
  EncryptedTally: { records: 2, next: ["PartialDecryption"] },
  PartialDecryption: { records: 2, next: ["PartialDecryption", "Result"] },
  Result: { records: 1, next: [] },
};

/**
 * The events of an archive in order, each with the texts of the records before it. The chain
 * (parents, heights), the legal sequence and the references are checked on the way.
 * @returns yields `{type, height, hash, records: {hash, text}[]}`
 */
export async function* readEvents(source) {
  let pending = [];
  let parent = null;
  let height = 0;
  let allowed = ["Setup"];
  const seen = new Set();
  for await (const { hash, kind, text } of readRecords(source)) {
    require(!seen.has(hash), "archive", "A record stands twice in the archive.");
    seen.add(hash);
    if (kind === "data") {
      pending.push({ hash, text });
      continue;
    }
    const event = parseStrict(text);
    requireFields(event, EVENT, "An event");
    require(allowed.includes(event.type), "chain", `The event ${event.type} is out of order.`);
    require((event.parent ?? null) === parent, "chain", "An event does not follow its predecessor.");
    require(event.height === height, "chain", "The height of an event is wrong.");
    const { records, next } = EVENTS[event.type];
    require(pending.length === records, "chain", "Records are missing or too many before an event.");
    require(
      records === 0 ? !("payload" in event) : event.payload === pending[records - 1].hash,
      "chain",
      "An event does not refer to the record before it.",
    );
    yield { type: event.type, height, hash, records: pending };
    pending = [];
    parent = hash;
    height += 1;
    allowed = next;
  }
  require(pending.length === 0, "chain", "Records stand after the last event.");
}

function readCredentials(group, text) {
  const list = parseStrict(text);
  require(
    Array.isArray(list) && list.every((entry) => typeof entry === "string"),
    "fields",
    "The public credentials are not a list of texts.",
  );
  const credentials = new Set(list);
  require(credentials.size === list.length, "credential", "A public credential stands twice.");
  return credentials;
}

/** Product of what each item of the trustees contributes: must be the election's key. */
function combineKeys(group, text) {
  const trustees = parseStrict(text);
  require(Array.isArray(trustees) && trustees.length > 0, "fields", "There are no trustees.");
  let key = null;
  const contribute = (element) => {
    key = key === null ? element : group.multiply(key, element);
  };
  const singles = [];
  for (const item of trustees) {
    requireLength(item, 2, "A trustee");
    const [kind, value] = item;
    require(kind === "Single" || kind === "Pedersen", "fields", `Unknown trustee ${kind}.`);
    if (kind === "Single") {
      contribute(verifyTrusteeKeyValue(group, value));
      singles.push(value.public_key);
    } else {
      require(Array.isArray(value?.coefexps), "fields", "The threshold key has no commitments.");
      for (const signed of value.coefexps) {
        contribute(group.decode(parseStrict(signed.message).coefexps[0]));
      }
    }
  }
  return { key, singles, count: trustees.length };
}

function readSetup(event) {
  const [election, trustees, credentials, setup] = event.records;
  const value = parseStrict(setup.text);
  requireFields(value, SETUP, "The set-up");
  require(
    value.election === election.hash &&
      value.trustees === trustees.hash &&
      value.credentials === credentials.hash,
    "setup",
    "The set-up does not refer to the records before it.",
  );
  const parsed = parseElection(election.text);
  const { key, singles } = combineKeys(parsed.group, trustees.text);
  require(
    parsed.group.equal(key, parsed.key),
    "setup",
    "The election's key is not made of the trustees' keys.",
  );
  return {
    election: parsed,
    trusteeKeys: singles,
    credentials: readCredentials(parsed.group, credentials.text),
    setupHash: event.hash,
  };
}

/** Adds up sealed ballots; the last ballot of a credential counts. */
class Tally {
  #latest = new Map();
  #election;

  constructor(election) {
    this.#election = election;
    this.rows = election.questions.map((question) =>
      Array.from({ length: choiceCount(question) }, () => ({
        alpha: election.group.identity,
        beta: election.group.identity,
      })),
    );
  }

  get size() {
    return this.#latest.size;
  }

  #apply(operation, answers) {
    const { group } = this.#election;
    answers.forEach((choices, i) =>
      choices.forEach(([alpha, beta], j) => {
        const cell = this.rows[i][j];
        cell.alpha = operation(cell.alpha, group.decodeKnown(alpha));
        cell.beta = operation(cell.beta, group.decodeKnown(beta));
      }),
    );
  }

  /** @param ballot a verified ballot */
  add(ballot) {
    const { group } = this.#election;
    const earlier = this.#latest.get(ballot.credential);
    if (earlier) this.#apply(group.divide, earlier);
    const answers = ballot.answers.map(({ choices }) =>
      choices.map(({ alpha, beta }) => [alpha, beta]),
    );
    this.#apply(group.multiply, answers);
    this.#latest.set(ballot.credential, answers);
  }

  /** The exact `encrypted_tally` text. */
  serialise() {
    const { group } = this.#election;
    return JSON.stringify(
      this.rows.map((row) => {
        const texts = group.encodeAll(row.flatMap(({ alpha, beta }) => [alpha, beta]));
        return row.map((_, j) => ({ alpha: texts[2 * j], beta: texts[2 * j + 1] }));
      }),
    );
  }
}

function requireTally(event, tally) {
  const [encrypted, sized] = event.records;
  const value = parseStrict(sized.text);
  requireFields(value, SIZED_TALLY, "The encrypted tally's summary");
  require(
    value.encrypted_tally === encrypted.hash,
    "encrypted_tally",
    "The summary refers to another encrypted tally.",
  );
  require(
    value.num_tallied === tally.size && value.total_weight === tally.size,
    "encrypted_tally",
    `The archive says ${value.num_tallied} ballots, ${tally.size} were counted.`,
  );
  for (const row of parseStrict(encrypted.text)) {
    row.forEach((cell) => requireFields(cell, CIPHERTEXT, "A ciphertext of the tally"));
  }
  require(
    encrypted.text === tally.serialise(),
    "encrypted_tally",
    "The encrypted tally is not the product of the ballots.",
  );
  return encrypted.hash;
}

/**
 * Verify an archive as far as its encrypted tally, and recompute that tally.
 *
 * @param {AsyncIterable<Uint8Array>} source
 * @param options `checkBallots(setup, texts)`: verifies a batch and returns the parsed ballots (may be
 *   parallel); `onRead(ballots)` and `onChecked(ballots)`: progress; `batchSize`; `parallel`: batches
 *   under way at once
 * @returns `election`, `setupHash`, `trusteeKeys` (texts of the `Single` keys in order),
 *   `ballotCount` (in the box), `tally` (decoded), `tallyText`, `tallyHash` (`null` and the running
 *   text while the election is open), `numTallied`, `partialDecryptions` ({owner, text}), `head`
 * @throws {ProtocolError} naming the step; then nothing of the archive may be used
 */
export async function verifyArchive(source, options = {}) {
  const { onRead = () => {}, onChecked = () => {}, batchSize = 32 } = options;
  const checkBallots =
    options.checkBallots ??
    (({ election, credentials }, texts) =>
      texts.map((text) => verifyBallot(election, credentials, text)));
  let setup = null;
  let tally = null;
  let tallyHash = null;
  let head = null;
  let batch = [];
  let ballotCount = 0;
  let checked = 0;
  const running = [];
  const partialDecryptions = [];

  const finish = async (promise) => {
    for (const ballot of await promise) {
      tally.add(ballot);
      checked += 1;
      onChecked(checked);
    }
  };
  const flush = async (wait) => {
    if (batch.length > 0) {
      const texts = batch;
      const promise = Promise.resolve().then(() => checkBallots(setup, texts));
      promise.catch(() => {}); // awaited in its turn below; a failure is not lost
      running.push(promise);
    }
    batch = [];
    // Order matters (the last ballot of a credential counts): finish from the front.
    while (running.length > (wait ? 0 : (options.parallel ?? 1))) await finish(running.shift());
  };

  for await (const event of readEvents(source)) {
    head = event.hash;
    if (event.type === "Setup") {
      setup = readSetup(event);
      tally = new Tally(setup.election);
    } else if (event.type === "Ballot") {
      ballotCount += 1;
      onRead(ballotCount);
      batch.push(event.records[0].text);
      if (batch.length >= batchSize) await flush(false);
    } else if (event.type === "EndBallots") {
      await flush(true);
    } else if (event.type === "EncryptedTally") {
      tallyHash = requireTally(event, tally);
    } else if (event.type === "PartialDecryption") {
      const [partial, owned] = event.records;
      const value = parseStrict(owned.text);
      requireFields(value, OWNED, "A partial decryption's owner");
      require(value.payload === partial.hash, "chain", "An owner refers to another record.");
      partialDecryptions.push({ owner: value.owner, text: partial.text });
    }
  }
  require(setup !== null, "chain", "The archive has no set-up.");
  await flush(true);
  return {
    election: setup.election,
    setupHash: setup.setupHash,
    trusteeKeys: setup.trusteeKeys,
    credentials: setup.credentials,
    ballotCount,
    tally: tally.rows,
    tallyText: tally.serialise(),
    tallyHash,
    numTallied: tally.size,
    partialDecryptions,
    head,
  };
}
