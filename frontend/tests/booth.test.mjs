/** The booth's rules that need no page. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { ed25519 } from "@noble/curves/ed25519.js";

import { describeCount, isSameText, problemWith, toPlaintexts } from "../src/booth/choices.js";
import { boardAddress, dayInWords, isReceiptSigned, qrPath, receiptText } from "../src/booth/receipt.js";
import { createTexts } from "../src/shared/texts.js";
import { createSealer } from "../src/workers/sealing.js";
import {
  choiceCount,
  parseElection,
  readEvents,
  requireChoices,
  verifyArchive,
  verifyBallot,
} from "../src/protocol/index.js";
import { inPieces, reference } from "./support.mjs";

const upToTwo = { answers: ["A", "B", "C"], blank: true, min: 1, max: 2, question: "Q" };
const exactlyOne = { answers: ["For", "Against", "Abstain"], blank: false, min: 1, max: 1, question: "Q" };
const anything = { ...exactlyOne, min: 0, max: 3 };

const ticked = (...answers) => ({ blank: false, answers });
const blank = { blank: true, answers: [] };

test("a selection becomes zeros and ones, the blank first where it is allowed", () => {
  assert.deepEqual(toPlaintexts(upToTwo, ticked(0, 2)), [0, 1, 0, 1]);
  assert.deepEqual(toPlaintexts(upToTwo, blank), [1, 0, 0, 0]);
  assert.deepEqual(toPlaintexts(exactlyOne, ticked(1)), [0, 1, 0]);
});

test("what the page lets through is what sealing accepts, for every selection", () => {
  for (const question of [upToTwo, exactlyOne, anything]) {
    for (let bits = 0; bits < 8; bits += 1) {
      const answers = [0, 1, 2].filter((index) => bits & (1 << index));
      for (const isBlank of question.blank ? [true, false] : [false]) {
        const selection = { blank: isBlank, answers };
        const plaintexts = toPlaintexts(question, selection);
        assert.equal(plaintexts.length, choiceCount(question));
        const problem = problemWith(question, selection);
        if (problem === null) requireChoices(question, plaintexts);
        else assert.throws(() => requireChoices(question, plaintexts), { step: "choices" });
      }
    }
  }
});

test("a voter is told what is missing or too much", () => {
  assert.deepEqual(problemWith(upToTwo, ticked()), { key: "error_too_few", values: { min: 1 } });
  assert.deepEqual(problemWith(upToTwo, ticked(0, 1, 2)), {
    key: "error_too_many",
    values: { max: 2, excess: 1 },
  });
  assert.equal(problemWith(upToTwo, { blank: true, answers: [1] }).key, "error_blank_and_choices");
  assert.equal(describeCount(upToTwo, blank).key, "chosen_blank");
  assert.equal(describeCount(anything, ticked()).key, "chosen_none_allowed");
});

test("a text on the page must be the sealed text or one of its languages", () => {
  const sealed = "Pour / Voor / Für / For";
  for (const shown of [sealed, "Pour", "Voor", " For\n", "Für", "Fu\u0308r", "Pour / Voor"]) {
    assert.ok(isSameText(shown, sealed), shown);
  }
  for (const shown of ["Contre", "", " ", "Po", "Pour /", "/", "or", "pour"]) {
    assert.ok(!isSameText(shown, sealed), shown);
  }
});

test("placeholders are filled and a missing translation falls back to English", () => {
  const t = createTexts({ a: "%(n)s of %(m)s", b: "English" }, { a: "%(m)s, dont %(n)s" });
  assert.equal(t("a", { n: 1, m: 3 }), "3, dont 1");
  assert.equal(t("b"), "English");
  assert.throws(() => t("c"), /no text for c/);
});

test("the receipt tells everything about the ballot and nothing about the voter", () => {
  const election = { uuid: "4BHcn82wCzdhqw", name: "AG", fingerprint: "φ" };
  const receipt = {
    tracker: "a+b/c",
    height: 3,
    event_hash: "ff",
    signature: "s",
    received_at_day: "2018-06-19",
    member: "must not be kept",
  };
  const board = boardAddress("/elections/x/board", receipt.tracker, "https://coop.example/");
  assert.equal(new URL(board).searchParams.get("tracker"), receipt.tracker);
  const kept = JSON.parse(receiptText(election, receipt, board));
  assert.equal(kept.tracker, receipt.tracker);
  assert.ok(!("member" in kept));
});

test("a receipt is believed only under the announced key and unchanged", () => {
  const { secretKey, publicKey } = ed25519.keygen(new Uint8Array(32).fill(7));
  const uuid = "4BHcn82wCzdhqw";
  const receipt = { tracker: "t", height: 3, event_hash: "ff", received_at_day: "2018-06-19" };
  const message = Buffer.from(`govern-receipt|${uuid}|t|3|ff|2018-06-19`);
  const key = Buffer.from(publicKey).toString("hex");
  receipt.signature = Buffer.from(ed25519.sign(message, secretKey)).toString("base64");
  assert.ok(isReceiptSigned(uuid, receipt, key));
  for (const change of [{ height: 4 }, { tracker: "u" }, { received_at_day: "2018-06-18" }]) {
    assert.ok(!isReceiptSigned(uuid, { ...receipt, ...change }, key));
  }
  assert.ok(!isReceiptSigned("XEGf2dBwM3ndau", receipt, key));
  assert.ok(!isReceiptSigned(uuid, { ...receipt, signature: "?" }, key));
  assert.ok(!isReceiptSigned(uuid, receipt, "ff"));
});

test("the day of a receipt is written in the reader's language", () => {
  assert.equal(dayInWords("2018-06-19", "fr"), "19 juin 2018");
  assert.equal(dayInWords("yesterday", "fr"), "yesterday");
});

test("the QR code has its three corners and a quiet border", () => {
  const { path, size } = qrPath("https://coop.example/elections/x/board?tracker=abc");
  assert.ok((size - 8 - 17) % 4 === 0);
  for (const corner of ["M4 4h", `M${size - 11} 4h`, `M4 ${size - 11}h`]) {
    assert.ok(path.includes(corner), corner);
  }
  assert.ok(!/M[0-3] /.test(path));
});

test("the sealing worker signs only when asked, and each sealed ballot once", async () => {
  const data = reference("ed25519-single");
  const { election, credentials } = await verifyArchive(inPieces(data.open));
  const messages = [];
  const handle = createSealer((message) => messages.push(message));
  const ask = (message) => {
    messages.length = 0;
    handle(message);
    return messages.at(-1);
  };
  assert.equal(ask({ type: "open", election: election.text }).fingerprint, election.fingerprint);
  const plaintexts = [[1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0, 1]];
  const sealed = ask({ type: "seal", code: data.codes[0], plaintexts });
  assert.equal(sealed.type, "sealed");
  const progress = messages.filter(({ type }) => type === "progress");
  assert.deepEqual(progress.at(-1), { type: "progress", done: 12, total: 12 });
  const everything = JSON.stringify(messages);
  assert.ok(!everything.includes("challenge") && !everything.includes(data.codes[0]));
  const signed = ask({ type: "sign" });
  const ballot = verifyBallot(election, credentials, signed.ballot);
  assert.equal(ballot.signature.hash, sealed.hash);
  assert.equal(ask({ type: "sign" }).type, "failed");
  ask({ type: "seal", code: data.codes[0], plaintexts });
  handle({ type: "forget" });
  assert.equal(ask({ type: "sign" }).type, "failed");
  const wrong = [[1, 1, 0], [1, 0, 0, 0], [0, 0, 0, 0, 1]];
  assert.equal(ask({ type: "seal", code: data.codes[0], plaintexts: wrong }).step, "choices");
});

test("an election with wrong fields, limits or key is refused", async () => {
  const data = reference("ed25519-single");
  for await (const event of readEvents(inPieces(data.open))) {
    const { text } = event.records[0];
    const changes = [
      ['"version":1', '"version":2'],
      ['"min":1,"max":1', '"min":2,"max":1'],
      ['"min":1,"max":1', '"min":1,"max":4'],
      ['"group":"Ed25519"', '"group":"Ed448"'],
      ['"uuid":"4BHcn82wCzdhqw"', '"uuid":"4BHcn82wCzdhq0"'],
      ['"min":0,', '"min":0,"weight":2,'],
      ['"min":1,"max":2', '"max":2,"min":1'],
      [/"public_key":"[0-9a-f]{64}"/, `"public_key":"${"1".padStart(64, "0")}"`],
      ['{"version"', '{ "version"'],
    ];
    for (const [from, to] of changes) {
      const changed = text.replace(from, to);
      assert.notEqual(changed, text);
      assert.throws(() => parseElection(changed), { name: "ProtocolError" }, to);
    }
    break;
  }
});
