/* global WORKER_FILE */
/** Talks to the sealing worker, or does its work here where a worker cannot start. */
import { createSealer } from "../workers/sealing.js";

/** Sealing failed; `step` is the protocol's word, the message a sentence. */
export class SealingError extends Error {
  constructor(step, detail) {
    super(detail);
    this.step = step;
  }
}

function startWorker(receive) {
  const address = new URL(`./${WORKER_FILE}`, import.meta.url);
  const worker = new Worker(address, { type: "module", name: "sealing" });
  worker.addEventListener("message", (event) => receive(event.data));
  return worker;
}

export class SealingClient {
  #send;
  #waiting = null;
  #worker = null;
  #answered = false;
  #onProgress = () => {};

  constructor() {
    const receive = (message) => this.#receive(message);
    const useThisThread = () => {
      this.#worker?.terminate();
      this.#worker = null;
      const handle = createSealer(receive);
      this.#send = (message) => setTimeout(() => handle(message), 0);
    };
    try {
      this.#worker = startWorker(receive);
      this.#send = (message) => this.#worker.postMessage(message);
      this.#worker.addEventListener("error", (event) => {
        event.preventDefault();
        if (this.#answered) {
          this.#receive({ type: "failed", step: "unexpected", detail: event.message ?? "" });
          return;
        }
        // Failed before its first answer: the file could not be loaded. Work here instead.
        useThisThread();
        if (this.#waiting) this.#send(this.#waiting.message);
      });
    } catch {
      useThisThread();
    }
  }

  #receive(message) {
    this.#answered = true;
    if (message.type === "progress") {
      this.#onProgress(message.done, message.total);
      return;
    }
    const waiting = this.#waiting;
    this.#waiting = null;
    if (!waiting) return;
    if (message.type === "failed") waiting.reject(new SealingError(message.step, message.detail));
    else waiting.resolve(message);
  }

  #ask(message) {
    return new Promise((resolve, reject) => {
      this.#waiting = { message, resolve, reject };
      this.#send(message);
    });
  }

  /** Hand over the election's exact text; the tables are made while the voter reads. */
  open(election) {
    return this.#ask({ type: "open", election });
  }

  /** @returns {Promise<{hash: string}>} the hash that `sign` would sign */
  seal(code, plaintexts, onProgress) {
    this.#onProgress = onProgress;
    return this.#ask({ type: "seal", code, plaintexts });
  }

  /** @returns {Promise<{ballot: string, tracker: string}>} */
  sign() {
    return this.#ask({ type: "sign" });
  }

  /** Drop what was sealed and not signed. */
  forget() {
    this.#send({ type: "forget" });
  }

  close() {
    this.#worker?.terminate();
  }
}
