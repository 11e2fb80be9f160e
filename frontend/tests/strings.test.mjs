/** Every text that a page asks for exists, and every text is asked for. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { FRONTEND } from "./support.mjs";

function sources(folder) {
  return readdirSync(join(FRONTEND, "src", folder))
    .map((file) => readFileSync(join(FRONTEND, "src", folder, file), "utf8"))
    .join("\n");
}

for (const page of ["booth", "trustee"]) {
  const english = JSON.parse(readFileSync(join(FRONTEND, "strings", `${page}.json`), "utf8"));
  const code = sources(page);

  test(`${page}: every text is used`, () => {
    const unused = Object.keys(english).filter((key) => {
      const [, family] = /^(strength|error_code)_/.exec(key) ?? [];
      return !code.includes(`"${key}"`) && !(family && code.includes(`\`${family}_`));
    });
    assert.deepEqual(unused, []);
  });

  test(`${page}: every text that is asked for exists`, () => {
    const asked = [...code.matchAll(/\b(?:t|button)\(\s*"(\w+)"/g)].map(([, key]) => key);
    assert.ok(asked.length > 10);
    assert.deepEqual(asked.filter((key) => !(key in english)), []);
  });

  test(`${page}: texts are whole sentences with well-formed placeholders`, () => {
    for (const [key, text] of Object.entries(english)) {
      assert.match(text, /^[^\s%]|^%\(\w+\)s/, key);
      assert.doesNotMatch(text.replace(/%\(\w+\)s/g, ""), /%/, key);
    }
  });
}

test("no source needs eval, inline style or markup from text", () => {
  const all = ["booth", "trustee", "shared", "workers", "protocol"].map(sources).join("\n");
  for (const forbidden of ["innerHTML", "outerHTML", "insertAdjacentHTML", "new Function", "eval(", ".style."]) {
    assert.ok(!all.includes(forbidden), forbidden);
  }
  assert.doesNotMatch(all, /\bstyle:/);
});
