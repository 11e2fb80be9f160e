/** The elections made by stock tools, read and checked by what the browser runs. */
import assert from "node:assert/strict";
import { test } from "node:test";

import {
  decryptTally,
  hashBase64,
  makeTrusteeKey,
  parseBallot,
  parseElection,
  prepareBallot,
  privateCredential,
  publicCredential,
  readEvents,
  scalarSource,
  signBallot,
  verifyArchive,
  verifyBallot,
  verifyPartialDecryption,
  verifyTrusteeKey,
} from "../src/protocol/index.js";
import { inPieces, REFERENCE_NAMES, reference, repeatableBytes } from "./support.mjs";

for (const name of REFERENCE_NAMES) {
  const data = reference(name);
  const archive = await verifyArchive(inPieces(data.archive));
  const { election } = archive;
  const { group } = election;
  const events = [];
  for await (const event of readEvents(inPieces(data.archive))) events.push(event);
  const ballots = events.filter(({ type }) => type === "Ballot").map(({ records }) => records[0].text);

  test(`${name}: every code leads to a published credential, each to another one`, () => {
    const found = data.codes.map((code) =>
      publicCredential(group, privateCredential(group, election.uuid, code)),
    );
    assert.deepEqual(new Set(found), archive.credentials);
  });

  test(`${name}: φ is the one that every ballot was made for`, () => {
    for (const text of ballots) {
      assert.equal(parseBallot(election, text).election_hash, election.fingerprint);
    }
  });

  test(`${name}: the tally recomputed from the box is the published one`, () => {
    assert.equal(archive.numTallied, 12);
    assert.equal(archive.ballotCount, 14, "two voters voted again");
    const published = events.find(({ type }) => type === "EncryptedTally").records[0].text;
    assert.equal(archive.tallyText, published);
  });

  test(`${name}: the archive of the open election gives a running tally and no sealed one`, async () => {
    const open = await verifyArchive(inPieces(data.open, 511));
    assert.equal(open.tallyHash, null);
    assert.equal(open.tallyText, archive.tallyText);
    assert.equal(open.setupHash, archive.setupHash);
  });

  test(`${name}: ballots checked in small parallel batches give the same tally`, async () => {
    let largest = 0;
    const checkBallots = async ({ election: one, credentials }, texts) => {
      largest = Math.max(largest, texts.length);
      await new Promise((resolve) => setImmediate(resolve));
      return texts.map((text) => verifyBallot(one, credentials, text));
    };
    const again = await verifyArchive(inPieces(data.archive), {
      checkBallots,
      batchSize: 3,
      parallel: 4,
    });
    assert.equal(largest, 3);
    assert.equal(again.tallyText, archive.tallyText);
  });

  test(`${name}: a ballot sealed here is valid and its tracker is the hash of its text`, () => {
    const [code] = data.codes;
    const secret = privateCredential(group, election.uuid, code);
    const next = scalarSource(group.q, repeatableBytes(7));
    const votes = [
      [[0, 1, 0], [1, 0, 0, 0], [0, 0, 0, 0, 0]],
      [[1, 0, 0], [0, 1, 0, 1], [1, 0, 1, 0, 1]],
    ];
    for (const choices of votes) {
      const credential = publicCredential(group, secret);
      const prepared = prepareBallot(election, credential, choices, next);
      const { ballot, tracker } = signBallot(election, prepared, secret, next);
      assert.equal(tracker, hashBase64(ballot));
      verifyBallot(election, archive.credentials, ballot);
    }
  });

  if (data.privateKeys.length > 0) {
    test(`${name}: the trustees' keys and parts verify, made here or by the stock tool`, () => {
      archive.partialDecryptions.forEach(({ owner, text }) =>
        verifyPartialDecryption(election, archive.trusteeKeys[owner - 1], archive.tally, text),
      );
      for (const secret of data.privateKeys) {
        const next = scalarSource(group.q, repeatableBytes(11));
        const { publicKey, json } = makeTrusteeKey(group, secret, next);
        assert.ok(archive.trusteeKeys.includes(publicKey));
        verifyTrusteeKey(group, json);
        const part = decryptTally(election, secret, publicKey, archive.tally, next);
        verifyPartialDecryption(election, publicKey, archive.tally, part);
        const published = archive.partialDecryptions.map(({ text }) => JSON.parse(text));
        const factors = JSON.stringify(JSON.parse(part).decryption_factors);
        assert.ok(published.some((one) => JSON.stringify(one.decryption_factors) === factors));
      }
    });

    test(`${name}: the parts together open the published result`, () => {
      const parts = archive.partialDecryptions.map(({ text }) => JSON.parse(text));
      const result = archive.tally.map((row, i) =>
        row.map(({ beta }, j) => {
          const factors = parts.map((part) => group.decodeWithIdentity(part.decryption_factors[i][j]));
          const opened = group.divide(beta, factors.reduce(group.multiply));
          for (let count = 0, power = group.identity; count <= 12; count += 1) {
            if (group.equal(power, opened)) return count;
            power = group.multiply(power, group.generator);
          }
          return -1;
        }),
      );
      assert.deepEqual(result, [[3, 2, 7], [4, 4, 5, 3], [6, 8, 3, 5, 2]]);
    });
  }

  test(`${name}: φ follows every letter of the election`, () => {
    const other = parseElection(election.text.replace("AG 2018", "AG 2019"));
    assert.notEqual(other.fingerprint, election.fingerprint);
    assert.throws(() => verifyBallot(other, archive.credentials, ballots[0]), {
      step: "election_hash",
    });
  });
}
