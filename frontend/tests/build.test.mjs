/** The bundles are the same wherever and however often they are built. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { FRONTEND } from "./support.mjs";

let folder;
let first;
let second;

function build(from, out) {
  execFileSync(process.execPath, [join(from, "build.mjs"), "--out", out], { cwd: tmpdir() });
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "govern-build-"));
  const elsewhere = join(folder, "a longer name with spaces", "frontend");
  await cp(FRONTEND, elsewhere, { recursive: true, verbatimSymlinks: true });
  [first, second] = [join(folder, "one"), join(folder, "two")];
  build(FRONTEND, first);
  build(elsewhere, second);
});

after(() => rm(folder, { recursive: true, force: true }));

test("two folders give the same files with the same bytes", async () => {
  const names = (await readdir(first)).sort();
  assert.deepEqual((await readdir(second)).sort(), names);
  for (const name of names) {
    const [one, other] = [await readFile(join(first, name)), await readFile(join(second, name))];
    assert.ok(one.equals(other), name);
  }
});

test("the manifest lists every file with its hash", async () => {
  const manifest = JSON.parse(await readFile(join(first, "manifest.json"), "utf8"));
  const names = (await readdir(first)).filter((name) => name !== "manifest.json").sort();
  assert.deepEqual(Object.keys(manifest.files), names);
  for (const [name, { sha256, bytes }] of Object.entries(manifest.files)) {
    const content = await readFile(join(first, name));
    assert.equal(createHash("sha256").update(content).digest("hex"), sha256, name);
    assert.equal(content.length, bytes, name);
  }
});

test("a page's bundle names the very worker that was built with it", async () => {
  const manifest = JSON.parse(await readFile(join(first, "manifest.json"), "utf8"));
  for (const [page, worker] of [["booth.js", "seal-worker.js"], ["trustee.js", "trustee-worker.js"]]) {
    const text = await readFile(join(first, page), "utf8");
    const { sha256 } = manifest.files[worker];
    assert.ok(text.includes(`${worker}?v=${sha256.slice(0, 16)}`), page);
  }
});

test("no bundle holds a path of the machine or an address of another origin", async () => {
  for (const name of (await readdir(first)).filter((one) => one.endsWith(".js"))) {
    const text = await readFile(join(first, name), "utf8");
    assert.ok(!text.includes(FRONTEND) && !text.includes("node_modules"), name);
    assert.doesNotMatch(text, /(import|fetch)\(\s*["'`]https?:/, name);
  }
});

test("importing a bundle outside its page does nothing", async () => {
  await writeFile(join(folder, "package.json"), '{"type":"module"}');
  for (const name of ["booth.js", "trustee.js", "seal-worker.js", "trustee-worker.js"]) {
    const bundle = await import(join(first, name));
    assert.equal(typeof bundle, "object", name);
  }
  const { protocol } = await import(join(first, "booth.js"));
  assert.equal(typeof protocol.verifyBallot, "function");
});

test("the lock names no address", async () => {
  const lock = await readFile(join(FRONTEND, "package-lock.json"), "utf8");
  assert.doesNotMatch(lock, /"resolved"|https?:\/\/(?!.*(funding|opencollective|github\.com\/sponsors))/);
});
