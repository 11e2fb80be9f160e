import assert from "node:assert/strict";
import { test } from "node:test";

import { CodeError, isCode, normaliseCode } from "../src/protocol/index.js";

const CODE = "bysZy-gxQKgN-wmMVt-UmZ11f";

test("a code may be typed with spaces, other dashes or no hyphens at all", () => {
  const typed = [
    CODE,
    "bysZygxQKgNwmMVtUmZ11f",
    "  bysZy gxQKgN\twmMVt UmZ11f\n",
    "bysZy–gxQKgN—wmMVt‑UmZ11f",
    "bysZy\u00adgx\u200bQKgN-wmMVt-UmZ11f\ufeff",
    "bysZ-ygxQ-KgNw-mMVt-UmZ1-1f",
  ];
  for (const one of typed) assert.equal(normaliseCode(one), CODE);
});

test("capital and small letters are never exchanged", () => {
  assert.notEqual(normaliseCode(CODE.replace("b", "B")), CODE);
});

test("what is wrong with a code is named", () => {
  const reason = (typed) => {
    try {
      normaliseCode(typed);
      return null;
    } catch (error) {
      assert.ok(error instanceof CodeError);
      return [error.reason, ...Object.values(error.details)];
    }
  };
  assert.deepEqual(reason(" - "), ["empty"]);
  assert.deepEqual(reason(CODE.slice(0, -1)), ["length", 21]);
  assert.deepEqual(reason(`${CODE}x`), ["length", 23]);
  for (const stranger of ["0", "O", "I", "l", "é", "'"]) {
    assert.deepEqual(reason(CODE.replace("b", stranger)), ["character", stranger]);
  }
});

test("only the one form of a code is well formed", () => {
  assert.ok(isCode(CODE));
  for (const other of [CODE.replaceAll("-", ""), `${CODE} `, `${CODE}\n`, CODE.replace("b", "0")]) {
    assert.ok(!isCode(other), other);
  }
});
