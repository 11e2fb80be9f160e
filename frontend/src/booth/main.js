/**
 * The booth's bundle. Importing it does nothing unless the page has the booth's root, so that a
 * test page can run the shared vectors against the very file that voters receive.
 */
import { startBooth } from "./page.js";

export * as protocol from "../protocol/index.js";
export { createSealer } from "../workers/sealing.js";

const root = globalThis.document?.getElementById("booth");
if (root) startBooth(root);
