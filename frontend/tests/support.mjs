/** What several tests need: the reference elections of `tests/protocol/reference/`. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = dirname(fileURLToPath(import.meta.url));
export const FRONTEND = join(HERE, "..");
const SHARED = join(HERE, "..", "..", "tests", "protocol");
const REFERENCE = join(SHARED, "reference");

export const REFERENCE_NAMES = [
  "ed25519-single",
  "ed25519-threshold",
  "belenios2048-single",
  "belenios2048-threshold",
];

/** One reference election: files as text or bytes. */
export function reference(name) {
  const folder = join(REFERENCE, name);
  const files = readdirSync(folder);
  const text = (file) => readFileSync(join(folder, file), "utf8");
  return {
    name,
    archive: readFileSync(join(folder, files.find((file) => file.endsWith(".bel")))),
    open: readFileSync(join(folder, "open.bel.part")),
    codes: Object.entries(JSON.parse(text("private_credentials.json")))
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([, code]) => code),
    votes: text("votes.jsonl").trim().split("\n").map((line) => JSON.parse(line)),
    privateKeys: files
      .filter((file) => file.endsWith(".privkey"))
      .map((file) => BigInt(JSON.parse(text(file)))),
  };
}

export function readVectors() {
  return JSON.parse(readFileSync(join(SHARED, "vectors.json"), "utf8"));
}

/** Bytes as a stream of pieces of the given size (odd sizes find wrong assumptions). */
export async function* inPieces(bytes, size = 4001) {
  for (let start = 0; start < bytes.length; start += size) {
    yield new Uint8Array(bytes.subarray(start, start + size));
  }
}

/** A generator of pseudo-random bytes, the same in every run. */
export function repeatableBytes(seed = 1) {
  let state = seed >>> 0;
  return (length) => {
    const bytes = new Uint8Array(length);
    for (let i = 0; i < length; i += 1) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      bytes[i] = state >>> 24;
    }
    return bytes;
  };
}
