/**
 * The trustee page's bundle. Importing it does nothing unless the page has the trustee's root.
 */
import { startTrusteePage } from "./page.js";

export { estimateBits, strengthOf } from "./passphrase.js";

const root = globalThis.document?.getElementById("trustee");
if (root) startTrusteePage(root);
