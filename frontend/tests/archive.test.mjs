/** What a trustee's device must refuse before it uses its key. */
import assert from "node:assert/strict";
import { before, test } from "node:test";

import { readEvents, sha256Hex, verifyArchive } from "../src/protocol/index.js";
import { inPieces, reference } from "./support.mjs";

const { archive } = reference("ed25519-single");
let events;

before(async () => {
  events = [];
  for await (const event of readEvents(inPieces(archive))) events.push(event);
});

function record(name, text) {
  const content = Buffer.from(text);
  const octal = (value) => value.toString(8).padStart(11, "0");
  const time = Number.parseInt(archive.subarray(136, 147).toString(), 8);
  const fields = `0000644\x000000000\x000000000\0${octal(content.length)}\0${octal(time)}\0`;
  const head = Buffer.from(`${name.padEnd(100, "\0")}${fields}        0`.padEnd(512, "\0"));
  const sum = head.reduce((total, byte) => total + byte, 0);
  head.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return Buffer.concat([head, content, Buffer.alloc((512 - (content.length % 512)) % 512)]);
}

/** An archive made anew from changed events: names, payloads, parents and heights all fit. */
function rechained(changed) {
  const parts = [archive.subarray(0, 1024)];
  let parent = null;
  changed.forEach(({ type, texts }, height) => {
    for (const text of texts) parts.push(record(`${sha256Hex(text)}.data.json`, text));
    const event = { ...(parent && { parent }), height, type };
    if (texts.length > 0) event.payload = sha256Hex(texts.at(-1));
    const text = JSON.stringify(event);
    parent = sha256Hex(text);
    parts.push(record(`${parent}.event.json`, text));
  });
  return Buffer.concat(parts);
}

const asTexts = () =>
  events.map(({ type, records }) => ({ type, texts: records.map(({ text }) => text) }));
const verify = (bytes) => verifyArchive(inPieces(bytes, 65536));
/** For what the chain alone shows: the ballots' proofs are checked elsewhere. */
const verifyChain = (bytes) =>
  verifyArchive(inPieces(bytes, 65536), { checkBallots: (_, texts) => texts.map(JSON.parse) });

test("the archive made anew without a change is the same, byte for byte", () => {
  assert.ok(rechained(asTexts()).equals(archive));
});

test("a single changed byte anywhere is refused", async () => {
  for (let position = 40; position < archive.length; position += 9973) {
    const changed = Buffer.from(archive);
    changed[position] ^= 1;
    await assert.rejects(verifyChain(changed), { name: "ProtocolError" }, `byte ${position}`);
  }
});

test("an archive that is cut short is refused", async () => {
  for (const length of [0, 100, 512, 1500, archive.length - 1, archive.length - 512]) {
    await assert.rejects(verifyChain(archive.subarray(0, length)), { name: "ProtocolError" });
  }
});

test("bytes after the last record are refused", async () => {
  const blocks = Buffer.concat([archive, Buffer.alloc(1024)]);
  await assert.rejects(verifyChain(blocks), { step: "archive" });
});

test("a ballot that was left out is noticed in the tally", async () => {
  const changed = asTexts();
  changed.splice(3, 1);
  await assert.rejects(verifyChain(rechained(changed)), { step: "encrypted_tally" });
});

test("a tally that is not the sum of the ballots is refused", async () => {
  const changed = asTexts();
  const event = changed.find(({ type }) => type === "EncryptedTally");
  const rows = JSON.parse(event.texts[0]);
  [rows[0][0], rows[0][1]] = [rows[0][1], rows[0][0]];
  const tally = JSON.stringify(rows);
  const sized = { ...JSON.parse(event.texts[1]), encrypted_tally: sha256Hex(tally) };
  event.texts = [tally, JSON.stringify(sized)];
  await assert.rejects(verifyChain(rechained(changed)), { step: "encrypted_tally" });
});

test("a wrong number of ballots is refused", async () => {
  const changed = asTexts();
  const event = changed.find(({ type }) => type === "EncryptedTally");
  event.texts[1] = event.texts[1].replace('"num_tallied":12', '"num_tallied":13');
  await assert.rejects(verifyChain(rechained(changed)), { step: "encrypted_tally" });
});

test("a ballot copied under another credential is refused", async () => {
  const changed = asTexts();
  const [first, second] = changed.filter(({ type }) => type === "Ballot");
  const [one, other] = [JSON.parse(first.texts[0]), JSON.parse(second.texts[0])];
  second.texts = [JSON.stringify({ ...other, answers: one.answers })];
  await assert.rejects(verify(rechained(changed)), { step: "signature_hash" });
});

test("a ballot after the end, a second set-up and a skipped end are refused", async () => {
  const afterEnd = asTexts();
  const end = afterEnd.findIndex(({ type }) => type === "EndBallots");
  [afterEnd[end - 1], afterEnd[end]] = [afterEnd[end], afterEnd[end - 1]];
  await assert.rejects(verifyChain(rechained(afterEnd)), { step: "chain" });

  const secondSetup = asTexts();
  secondSetup.splice(1, 0, {
    type: "Setup",
    texts: ["1", "2", "3", "4"],
  });
  await assert.rejects(verifyChain(rechained(secondSetup)), { step: "chain" });

  const noEnd = asTexts().filter(({ type }) => type !== "EndBallots");
  await assert.rejects(verifyChain(rechained(noEnd)), { step: "chain" });
});

test("a key of the election that is not made of the trustees' keys is refused", async () => {
  const changed = asTexts();
  const [election, trustees, credentials] = changed[0].texts;
  const fewer = JSON.stringify(JSON.parse(trustees).slice(1));
  const setup = JSON.stringify({
    election: sha256Hex(election),
    trustees: sha256Hex(fewer),
    credentials: sha256Hex(credentials),
  });
  changed[0].texts = [election, fewer, credentials, setup];
  await assert.rejects(verify(rechained(changed)), { step: "setup" });
});
