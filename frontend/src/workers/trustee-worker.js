/**
 * The trustee's worker. Messages in: `make`, `read`, `open-part`; and, in the workers that it
 * starts for checking ballots on several cores, `check-open` and `check`.
 * Messages out: `made`, `read`, `progress`, `part`, `failed` {step, detail}.
 */
import { createChecker, createCheckers } from "./checkers.js";
import { makeKey, openPart, readKey } from "./trustee-tasks.js";

export * as protocol from "../protocol/index.js";
export * as tasks from "./trustee-tasks.js";

const LARGEST_POOL = 8;
const checker = createChecker((message) => self.postMessage(message));
let key = null;

/** Whatever fails in here is the connection's fault. */
async function attempt(action) {
  try {
    return await action();
  } catch (error) {
    throw Object.assign(new Error(error.message), { step: "network" });
  }
}

async function* download(address) {
  const reader = await attempt(async () => {
    const response = await fetch(address, { credentials: "same-origin", cache: "no-store" });
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    return response.body.getReader();
  });
  for (;;) {
    const part = await attempt(() => reader.read());
    if (part.done) return;
    yield part.value;
  }
}

function startChecker() {
  return new Worker(self.location.href, { type: "module", name: "checking" });
}

const tasks = {
  async make(message) {
    const { publicKey, file } = await makeKey(message);
    return { type: "made", publicKey, file };
  },
  async read(message) {
    key = await readKey(message);
    return { type: "read", publicKey: key.publicKey, json: key.json };
  },
  async "open-part"({ address, rememberedTally }) {
    const size = Math.min(LARGEST_POOL, Math.max(1, navigator.hardwareConcurrency ?? 1));
    const checkers = createCheckers(startChecker, size);
    try {
      const report = (kind) => (count) => self.postMessage({ type: "progress", kind, count });
      const result = await openPart(key, download(address), {
        rememberedTally,
        checkBallots: (setup, texts) => checkers.check(setup, texts),
        parallel: 2 * size,
        batchSize: 8,
        onRead: report("read"),
        onChecked: report("checked"),
      });
      key = null;
      return { type: "part", ...result };
    } finally {
      checkers.close();
    }
  },
};

async function receive({ data }) {
  if (data.type.startsWith("check")) {
    checker(data);
    return;
  }
  try {
    self.postMessage(await tasks[data.type](data));
  } catch (error) {
    self.postMessage({ type: "failed", step: error.step ?? "unexpected", detail: error.message });
  }
}

// Imported by a test page, the module only offers its functions.
if (globalThis.WorkerGlobalScope) self.addEventListener("message", receive);
