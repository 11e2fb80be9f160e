import assert from "node:assert/strict";
import { test } from "node:test";

import * as protocol from "../src/protocol/index.js";
import { readVectors } from "./support.mjs";
import { runVectors } from "./vectors-runner.mjs";

test("the shared vectors hold in JavaScript too", async () => {
  const { checks, failures } = await runVectors(protocol, readVectors());
  assert.deepEqual(failures, []);
  assert.ok(checks > 200, `only ${checks} comparisons`);
});
