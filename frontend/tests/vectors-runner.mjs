/**
 * Runs `tests/protocol/vectors.json` (described in VECTORS.md beside it) against the protocol.
 *
 * One self-contained function, so that it runs unchanged in node and, through Playwright, in
 * Chromium against the very bundle that is served. Returns what was compared and what differed.
 *
 * @param protocol the namespace of `src/protocol/index.js`
 * @param vectors the parsed file
 * @returns {Promise<{checks: number, failures: string[]}>}
 */
export async function runVectors(protocol, vectors) {
  const failures = [];
  let checks = 0;
  const same = (name, got, wanted) => {
    checks += 1;
    if (got !== wanted) failures.push(`${name}: got ${String(got)}, wanted ${String(wanted)}`);
  };
  const accepted = (name, action) => {
    checks += 1;
    try {
      return action();
    } catch (error) {
      failures.push(`${name}: refused: ${error.message}`);
      return undefined;
    }
  };
  const refused = (name, action, step = null) => {
    checks += 1;
    try {
      action();
      failures.push(`${name}: accepted`);
    } catch (error) {
      if (error.name !== "ProtocolError") failures.push(`${name}: ${error.stack}`);
      else if (step && error.step !== step) failures.push(`${name}: ${error.step}, wanted ${step}`);
    }
  };
  const replay = (scalars) => protocol.replayScalars(scalars);

  for (const code of vectors.credential_codes.valid) {
    same(`code ${code}`, protocol.isCode(code), true);
  }
  for (const { code, reason } of vectors.credential_codes.invalid) {
    same(`code ${code} (${reason})`, protocol.isCode(code), false);
  }
  for (const text of vectors.json.valid) accepted(`json ${text}`, () => protocol.parseStrict(text));
  for (const { text, reason } of vectors.json.invalid) {
    refused(`json ${text} (${reason})`, () => protocol.parseStrict(text), "encoding");
  }

  for (const [name, data] of Object.entries(vectors.groups)) {
    const group = protocol.groupNamed(name);
    const { q } = group;
    const decode = group.decodeWithIdentity;
    same(`${name} order`, q.toString(), data.order);
    same(`${name} generator`, group.encode(group.generator), data.generator);
    same(`${name} identity`, group.encode(group.identity), data.identity);
    for (const { text, note } of data.elements.valid) {
      const element = accepted(`${name} element ${note}`, () => group.decode(text));
      if (element !== undefined) same(`${name} element ${note}`, group.encode(element), text);
    }
    for (const { text, reason, note } of data.elements.invalid) {
      refused(`${name} element ${note}`, () => group.decode(text), "element");
      if (reason === "identity") accepted(`${name} ${note}`, () => decode(text));
      else refused(`${name} element ${note}, in a tally`, () => decode(text), "element");
    }
    for (const text of data.scalars.valid) {
      same(`${name} scalar`, accepted(text, () => protocol.parseScalar(q, text))?.toString(), text);
    }
    for (const { text, reason } of data.scalars.invalid) {
      refused(`${name} scalar ${text} (${reason})`, () => protocol.parseScalar(q, text), "scalar");
    }
    for (const { input, scalar } of data.hashes) {
      same(`${name} hash`, protocol.hashToScalar(q, input).toString(), scalar);
    }
    for (const { base, scalar, result } of data.powers) {
      const element = decode(base);
      const exponent = BigInt(scalar);
      same(`${name} power`, group.encode(group.power(element, exponent)), result);
      const several = group.powers(element, [exponent, 0n, 1n, exponent + q]);
      const wanted = [result, data.identity, base, result];
      several.forEach((one, i) => same(`${name} shared power ${i}`, group.encode(one), wanted[i]));
      same(`${name} secret power`, group.encode(group.powerSecret(element, exponent)), result);
      if (!group.isIdentity(element)) {
        const fixed = group.fixedBase(element);
        same(`${name} fixed base`, group.encode(fixed(exponent)), result);
      }
    }
    for (const { left, right, product, quotient } of data.products) {
      const [l, r] = [decode(left), decode(right)];
      same(`${name} product`, group.encode(group.multiply(l, r)), product);
      same(`${name} quotient`, group.encode(group.divide(l, r)), quotient);
    }
    for (const { uuid, code, private: secret, public: element } of data.credentials) {
      const derived = protocol.privateCredential(group, uuid, code);
      same(`${name} private credential`, derived.toString(), secret);
      same(`${name} public credential`, protocol.publicCredential(group, derived), element);
    }
    for (const key of data.trustee_keys) {
      const next = replay(key.randomness);
      const made = protocol.makeTrusteeKey(group, BigInt(key.private), next);
      same(`${name} trustee key`, made.json, key.json);
      same(`${name} trustee key`, made.publicKey, key.public);
      same(`${name} trustee key: randomness left`, next.remaining(), 0);
      accepted(`${name} trustee key`, () => protocol.verifyTrusteeKey(group, key.json));
    }
    for (const { note, step, json } of data.trustee_keys_refused) {
      refused(`${name} trustee key ${note}`, () => protocol.verifyTrusteeKey(group, json), step);
    }
    for (const election of data.elections) await runElection(name, election);
  }
  return { checks, failures };

  async function runElection(groupName, data) {
    const what = `${groupName} ${data.name}`;
    const election = protocol.parseElection(data.election);
    const { group } = election;
    same(`${what} φ`, election.fingerprint, data.fingerprint);
    same(`${what} uuid`, election.uuid, data.uuid);
    const credentials = new Set(JSON.parse(data.public_credentials));

    data.ballots.forEach((one, index) => {
      const name = `${what} ballot ${index}`;
      const secret = protocol.privateCredential(group, data.uuid, one.code);
      const credential = protocol.publicCredential(group, secret);
      const next = replay(one.randomness);
      const prepared = protocol.prepareBallot(election, credential, one.plaintexts, next);
      same(`${name} unsigned`, prepared.unsigned, one.unsigned);
      same(`${name} hash`, prepared.hash, one.hash);
      same(`${name} r`, JSON.stringify(prepared.randomness), JSON.stringify(one.choices_randomness));
      same(`${name} randomness left for the signature`, next.remaining(), 1);
      const signed = protocol.signBallot(election, prepared, secret, next);
      same(`${name} text`, signed.ballot, one.ballot);
      same(`${name} tracker`, signed.tracker, one.tracker);
      same(`${name} randomness left`, next.remaining(), 0);
      accepted(name, () => protocol.verifyBallot(election, credentials, one.ballot));
    });
    for (const { note, step, ballot } of data.refused_ballots) {
      const check = () => protocol.verifyBallot(election, credentials, ballot);
      refused(`${what} ballot ${note}`, check, step);
    }

    const bytes = archiveBytes(data);
    same(`${what} archive size`, bytes.length, data.archive_size);
    same(`${what} archive`, protocol.sha256Hex(bytes), data.archive_sha256);
    const source = async function* source() {
      yield bytes;
    };
    let archive;
    checks += 1;
    try {
      archive = await protocol.verifyArchive(source());
    } catch (error) {
      failures.push(`${what} archive: ${error.step}: ${error.message}`);
      return;
    }
    same(`${what} tally`, archive.tallyText, data.encrypted_tally);
    same(`${what} number of ballots`, archive.numTallied, data.num_tallied);
    const { tally } = archive;
    for (const { owner, private: secret, randomness, json } of data.partial_decryptions) {
      const name = `${what} partial decryption of ${owner}`;
      const key = group.encode(protocol.generatorPower(group)(BigInt(secret)));
      const next = replay(randomness);
      same(name, protocol.decryptTally(election, BigInt(secret), key, tally, next), json);
      same(`${name}: randomness left`, next.remaining(), 0);
      accepted(name, () => protocol.verifyPartialDecryption(election, key, tally, json));
    }
    for (const { note, owner, step, json } of data.refused_partial_decryptions) {
      const key = JSON.parse(data.trustees)[owner - 1][1].public_key;
      const check = () => protocol.verifyPartialDecryption(election, key, tally, json);
      refused(`${what} partial decryption ${note}`, check, step);
    }
  }

  /** Every text of an election that is a record of its archive, by its hash. */
  function recordTexts(data) {
    const texts = [data.election, data.trustees, data.public_credentials, data.setup_data];
    texts.push(...data.ballots.map(({ ballot }) => ballot));
    texts.push(data.encrypted_tally, data.sized_encrypted_tally, data.result);
    for (const { json, owned } of data.partial_decryptions) texts.push(json, owned);
    return new Map(texts.map((text) => [protocol.sha256Hex(text), text]));
  }

  /** The archive from its records, header by header (tar, version 7). */
  function archiveBytes(election) {
    const { timestamp, events } = election;
    const encoder = new TextEncoder();
    const texts = recordTexts(election);
    const records = [["BELENIOS", `{"version":1,"timestamp":"${timestamp}"}`]];
    for (const { data, event, hash } of events) {
      for (const name of data) records.push([`${name}.data.json`, texts.get(name)]);
      records.push([`${hash}.event.json`, event]);
    }
    const parts = [];
    for (const [name, text] of records) {
      const content = encoder.encode(text);
      const octal = (number) => number.toString(8).padStart(11, "0");
      const numbers = `${octal(content.length)}\0${octal(Number(timestamp))}\0`;
      const fields = ["0000644\0", "0000000\0", "0000000\0", numbers].join("");
      const head = encoder.encode(`${name.padEnd(100, "\0")}${fields}        0`.padEnd(512, "\0"));
      const sum = head.reduce((total, byte) => total + byte, 0);
      head.set(encoder.encode(`${sum.toString(8).padStart(6, "0")}\0 `), 148);
      parts.push(head, content, new Uint8Array((512 - (content.length % 512)) % 512));
    }
    const bytes = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
    let position = 0;
    for (const part of parts) {
      bytes.set(part, position);
      position += part.length;
    }
    return bytes;
  }
}
