/** Seals ballots beside the page, so that the page stays alive. */
import { createSealer } from "./sealing.js";

export * as protocol from "../protocol/index.js";
export { createSealer };

// Imported by a test page, the module only offers its functions.
if (globalThis.WorkerGlobalScope) {
  const handle = createSealer((message) => self.postMessage(message));
  self.addEventListener("message", (event) => handle(event.data));
}
