/** The trustee's key file and the part of the count. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { groupNamed, makeTrusteeKey, scalarSource, writeKeyFile } from "../src/protocol/index.js";
import { strengthOf } from "../src/trustee/passphrase.js";
import { makeKey, openPart, protectKey, readKey } from "../src/workers/trustee-tasks.js";
import { inPieces, reference } from "./support.mjs";

const workFactor = 10; // the pages use 18; a test need not wait for it
const passphrase = "quatre mots sans lien";
const uuid = "4BHcn82wCzdhqw";
const groupName = "Ed25519";

test("a key that was made can be read back from its file, and only with its passphrase", async () => {
  const made = await makeKey({ uuid, groupName, passphrase, workFactor });
  const read = await readKey({ bytes: made.file, passphrase, uuid, groupName });
  assert.equal(read.publicKey, made.publicKey);
  assert.equal(JSON.parse(read.json).public_key, made.publicKey);
  const wrong = readKey({ bytes: made.file, passphrase: "another one!", uuid, groupName });
  await assert.rejects(wrong, { step: "key_file_closed" });
});

test("two keys are never the same", async () => {
  const one = await makeKey({ uuid, groupName, passphrase, workFactor });
  const other = await makeKey({ uuid, groupName, passphrase, workFactor });
  assert.notEqual(one.publicKey, other.publicKey);
});

test("the key file shows nothing of the key without the passphrase", async () => {
  const made = await makeKey({ uuid, groupName, passphrase, workFactor });
  const text = Buffer.from(made.file).toString("latin1");
  assert.ok(text.startsWith("age-encryption.org/v1\n-> scrypt "));
  for (const secret of [made.publicKey, uuid, "private_key", "govern-trustee-key"]) {
    assert.ok(!text.includes(secret));
  }
});

test("an accented passphrase opens the file however the keyboard composed it", async () => {
  const { file } = await makeKey({ uuid, groupName, passphrase: "été à la mer, enfin", workFactor });
  const decomposed = "été à la mer, enfin".normalize("NFD");
  await readKey({ bytes: file, passphrase: decomposed, uuid, groupName });
});

test("a key file of another election or another kind is refused", async () => {
  const made = await makeKey({ uuid, groupName, passphrase, workFactor });
  const other = readKey({ bytes: made.file, passphrase, uuid: "XEGf2dBwM3ndau", groupName });
  await assert.rejects(other, { step: "key_file_election" });
  const letter = await protectKey("Dear reader", passphrase, workFactor);
  await assert.rejects(readKey({ bytes: letter, passphrase, uuid, groupName }), { step: "encoding" });
  const group = groupNamed(groupName);
  const { publicKey } = makeTrusteeKey(group, 5n, scalarSource(group.q));
  const halves = await protectKey(writeKeyFile(group, uuid, 6n, publicKey), passphrase, workFactor);
  await assert.rejects(readKey({ bytes: halves, passphrase, uuid, groupName }), { step: "key_file" });
  const garbage = new Uint8Array(100);
  const refused = readKey({ bytes: garbage, passphrase, uuid, groupName });
  await assert.rejects(refused, { step: "key_file_closed" });
});

async function trusteeOf(name, file) {
  const data = reference(name);
  const group = groupNamed(groupName);
  const secret = data.privateKeys[0];
  const { publicKey } = makeTrusteeKey(group, secret, scalarSource(group.q));
  return { data, key: { uuid, group, secret, publicKey }, source: inPieces(data[file]) };
}

test("a part is made from a closed election and says what was checked", async () => {
  const { key, source } = await trusteeOf("ed25519-single", "archive");
  const { partial, summary } = await openPart(key, source);
  assert.deepEqual(Object.keys(JSON.parse(partial)), ["decryption_factors", "decryption_proofs"]);
  assert.equal(summary.numTallied, 12);
  assert.match(summary.setupHash, /^[0-9a-f]{64}$/);
});

test("the key is not used while the election is open", async () => {
  const { key, source } = await trusteeOf("ed25519-single", "open");
  await assert.rejects(openPart(key, source), { step: "no_tally" });
});

test("the key is not used for a second, different tally", async () => {
  const first = await trusteeOf("ed25519-single", "archive");
  const { summary } = await openPart(first.key, first.source);
  const again = await trusteeOf("ed25519-single", "archive");
  await openPart(again.key, again.source, { rememberedTally: summary.tallyHash });
  const other = await trusteeOf("ed25519-single", "archive");
  const refused = openPart(other.key, other.source, { rememberedTally: "0".repeat(64) });
  await assert.rejects(refused, { step: "other_tally" });
});

test("the key is not used in an election that it is no part of", async () => {
  const { data } = await trusteeOf("ed25519-single", "archive");
  const group = groupNamed(groupName);
  const { publicKey } = makeTrusteeKey(group, 5n, scalarSource(group.q));
  const stranger = { uuid, group, secret: 5n, publicKey };
  await assert.rejects(openPart(stranger, inPieces(data.archive)), { step: "key_not_in_election" });
  const elsewhere = { ...stranger, uuid: "XEGf2dBwM3ndau" };
  await assert.rejects(openPart(elsewhere, inPieces(data.archive)), { step: "setup" });
});

test("the strength hint tells words from patterns", () => {
  assert.equal(strengthOf("short"), "short");
  assert.equal(strengthOf("éééééééééééé".slice(0, 11)), "short");
  for (const weak of ["aaaaaaaaaaaa", "abcdefghijkl", "111111111111111"]) {
    assert.equal(strengthOf(weak), "weak", weak);
  }
  assert.equal(strengthOf("correct horse battery staple"), "strong");
});
