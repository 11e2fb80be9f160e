/** Checks ballots on several cores: workers made by the trustee's worker. */
import { parseElection, ProtocolError, verifyBallot } from "../protocol/index.js";

/** The side of a checking worker. */
export function createChecker(post) {
  let election = null;
  let credentials = null;
  return (message) => {
    if (message.type === "check-open") {
      election = parseElection(message.election);
      credentials = new Set(message.credentials);
      election.precompute();
      return;
    }
    try {
      for (const text of message.texts) verifyBallot(election, credentials, text);
      post({ id: message.id });
    } catch (error) {
      post({ id: message.id, step: error.step ?? "unexpected", detail: error.message });
    }
  };
}

/**
 * A pool of checking workers. `check` has the form that `verifyArchive` wants.
 * @param {() => Worker} startWorker @param {number} size
 */
export function createCheckers(startWorker, size) {
  const workers = [];
  const waiting = new Map();
  let opened = false;
  let turn = 0;
  let last = 0;

  const settle = ({ id, step, detail }) => {
    const { resolve, reject } = waiting.get(id);
    waiting.delete(id);
    if (step) reject(new ProtocolError(step, detail));
    else resolve();
  };
  const open = ({ election, credentials }) => {
    opened = true;
    for (let i = 0; i < size; i += 1) {
      const worker = startWorker();
      worker.addEventListener("message", (event) => settle(event.data));
      worker.addEventListener("error", (event) => {
        for (const { reject } of waiting.values()) reject(new Error(event.message));
        waiting.clear();
      });
      worker.postMessage({
        type: "check-open",
        election: election.text,
        credentials: [...credentials],
      });
      workers.push(worker);
    }
  };
  return {
    async check(setup, texts) {
      if (!opened) open(setup);
      const id = (last += 1);
      const worker = workers[(turn += 1) % workers.length];
      await new Promise((resolve, reject) => {
        waiting.set(id, { resolve, reject });
        worker.postMessage({ type: "check", id, texts });
      });
      return texts.map((text) => JSON.parse(text));
    },
    close() {
      for (const worker of workers) worker.terminate();
    },
  };
}
