/* global WORKER_FILE */
/**
 * The trustee's page. Before the election: make the key, save its file, read it back, send the
 * public half. After the close: open the file, check the whole ballot box, send one's part.
 *
 * The public key is sent only after the file was read back from the person's own disk: an
 * election must not depend on a key that nobody can open.
 */
import english from "../../strings/trustee.json";
import { element, facts, focusHeading, hashText, offerFile } from "../shared/dom.js";
import { postJson, Refusal, Uncertain } from "../shared/post.js";
import { createTexts, readTexts } from "../shared/texts.js";
import { MINIMUM_LENGTH, strengthOf } from "./passphrase.js";

const LARGEST_KEY_FILE = 64 * 1024;

/** Steps of a failure in the worker → the text that says it. */
const FILE_ERRORS = {
  key_file_closed: "error_file_unreadable",
  key_file_election: "error_file_other_election",
  key_file: "error_file_format",
  encoding: "error_file_format",
  fields: "error_file_format",
  scalar: "error_file_format",
};
const ARCHIVE_ERRORS = {
  key_not_in_election: "error_key_not_in_election",
  no_tally: "error_archive_open",
  other_tally: "error_other_tally",
};

class WorkerFailure extends Error {
  constructor({ step, detail }) {
    super(detail);
    this.step = step;
  }
}

class TrusteePage {
  #texts = createTexts(english, readTexts("trustee-strings"));
  #root;
  #worker = null;
  #waiting = null;
  #onProgress = () => {};
  #made = null;
  #busy = false;
  #unsent = false;

  constructor(root) {
    this.#root = root;
  }

  start() {
    const t = this.#texts;
    const { stage } = this.#root.dataset;
    window.addEventListener("beforeunload", (event) => {
      if (this.#busy || this.#unsent) event.preventDefault();
    });
    if (stage === "generate") this.#showGenerate();
    else if (stage === "decrypt") this.#showDecrypt();
    else if (stage === "done") this.#showNote("done_heading", "done_intro", false);
    else this.#showNote("waiting_heading", "waiting_intro", false);
    if (typeof Worker === "undefined" || !globalThis.crypto?.getRandomValues) {
      const heading = element("h2", { tabindex: "-1" }, t("failure_title"));
      this.#replace(heading, element("p", { role: "alert" }, t("failure_browser")));
    }
  }

  // --- the worker --------------------------------------------------------------------------

  #ask(message, onProgress = () => {}) {
    if (!this.#worker) {
      this.#worker = new Worker(new URL(`./${WORKER_FILE}`, import.meta.url), {
        type: "module",
        name: "trustee",
      });
      this.#worker.addEventListener("message", ({ data }) => {
        if (data.type === "progress") this.#onProgress(data);
        else if (data.type === "failed") this.#waiting.reject(new WorkerFailure(data));
        else this.#waiting.resolve(data);
      });
      this.#worker.addEventListener("error", (event) => {
        event.preventDefault();
        this.#worker = null;
        const detail = event.message ?? "";
        this.#waiting?.reject(new WorkerFailure({ step: "unexpected", detail }));
      });
    }
    this.#onProgress = onProgress;
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#worker.postMessage(message);
    });
  }

  // --- pieces of page ----------------------------------------------------------------------

  #replace(...children) {
    const section = element("section", { class: "booth-section trustee-section" }, ...children);
    this.#root.querySelector(".trustee-section")?.remove();
    this.#root.append(section);
    return section;
  }

  #step(step, headingKey, ...children) {
    this.#root.dataset.step = step;
    const heading = element("h2", { tabindex: "-1" }, this.#texts(headingKey));
    this.status = element("p", { role: "status", class: "trustee-status" });
    this.error = element("div", { class: "booth-error", role: "alert", hidden: true });
    // A form, so that Enter works; no field has a name and nothing is ever submitted.
    const form = element(
      "form",
      { novalidate: true, onSubmit: (event) => event.preventDefault() },
      ...children,
    );
    const section = this.#replace(heading, form, this.status, this.error);
    // The first section stands in the page as it loads: moving the focus then would startle.
    if (this.started) focusHeading(section);
    this.started = true;
  }

  #button(key, action, kind = "") {
    const name = `button ${kind}`.trim();
    const text = this.#texts(key);
    // The main button is what Enter presses; its click does the work, never a submission.
    const type = kind === "" ? "submit" : "button";
    return element("button", { type, class: name, "data-action": key, onClick: action }, text);
  }

  #showError(...lines) {
    this.status.textContent = "";
    this.error.replaceChildren(...lines.filter(Boolean).map((line) => element("p", {}, line)));
    this.error.hidden = false;
  }

  #passphraseField(id, key, autocomplete, notes = []) {
    const t = this.#texts;
    const input = element("input", { id, type: "password", autocomplete, maxlength: "1000" });
    const label = element("label", { for: id }, t(key));
    return { input, nodes: [element("div", { class: "field" }, label, ...notes, input)] };
  }

  #fileField() {
    const t = this.#texts;
    const input = element("input", {
      id: "trustee-file",
      type: "file",
      accept: ".age,application/octet-stream",
      "aria-describedby": "trustee-file-hint",
    });
    return {
      input,
      nodes: [
        element(
          "div",
          { class: "field" },
          element("label", { for: "trustee-file" }, t("file_label")),
          element("p", { id: "trustee-file-hint", class: "help" }, t("file_hint")),
          input,
        ),
      ],
    };
  }

  /** Run one action at a time, with its button off and errors shown. */
  async #during(button, action) {
    if (this.#busy) return;
    this.#busy = true;
    button.disabled = true;
    this.error.hidden = true;
    try {
      await action();
    } catch (error) {
      this.#explain(error);
    } finally {
      this.#busy = false;
      button.disabled = false;
    }
  }

  #explain(error) {
    const t = this.#texts;
    if (error instanceof Refusal) this.#showError(error.title, error.detail, error.remedy);
    else if (error instanceof Uncertain) {
      const title = error.answered ? t("error_server_title") : t("error_network_title");
      this.#showError(title, t("error_network_detail"), t("error_network_remedy"));
    } else if (error instanceof WorkerFailure && error.step === "network") {
      this.#showError(t("error_network_title"), t("error_network_remedy"));
    } else this.#showError(t("failure_worker", { reason: error.message }));
  }

  /** A page with nothing to do; its step is the first word of its texts. */
  #showNote(heading, intro, focus = true) {
    const t = this.#texts;
    const { publicKey } = this.#root.dataset;
    const key = publicKey ? [facts([[t("public_key"), hashText(publicKey)]])] : [];
    this.started = focus;
    const step = heading.replace("_heading", "");
    this.#step(step, heading, element("p", {}, t(intro)), ...key);
  }

  // --- before the election -----------------------------------------------------------------

  #showGenerate() {
    const t = this.#texts;
    const hint = element("p", { id: "trustee-hint", class: "help" }, t("passphrase_hint"));
    const first = this.#passphraseField("trustee-passphrase", "passphrase_label", "new-password", [
      hint,
    ]);
    const second = this.#passphraseField("trustee-again", "passphrase_again_label", "new-password");
    const strength = element("p", { id: "trustee-strength", "aria-live": "polite" });
    first.input.setAttribute("aria-describedby", "trustee-hint trustee-strength");
    first.input.addEventListener("input", () => {
      const count = [...first.input.value].length;
      const values = { count, min: MINIMUM_LENGTH };
      strength.textContent = count === 0 ? "" : t(`strength_${strengthOf(first.input.value)}`, values);
    });
    const make = this.#button("generate", () =>
      this.#during(make, () => this.#generate(first.input.value, second.input.value)),
    );
    const have = this.#button("have_file", () => this.#showReadBack(null), "secondary");
    this.#step(
      "generate",
      "generate_heading",
      element("p", {}, t("generate_intro")),
      ...first.nodes,
      strength,
      ...second.nodes,
      element("div", { class: "booth-actions" }, make, have),
    );
  }

  async #generate(passphrase, again) {
    const t = this.#texts;
    if ([...passphrase].length < MINIMUM_LENGTH) {
      this.#showError(t("error_passphrase_short", { min: MINIMUM_LENGTH }));
      return;
    }
    if (passphrase !== again) {
      this.#showError(t("error_passphrase_differs"));
      return;
    }
    this.status.textContent = t("generating");
    const { uuid, group: groupName } = this.#root.dataset;
    const { publicKey, file } = await this.#ask({ type: "make", uuid, groupName, passphrase });
    const name = `govern-trustee-key-${uuid}.age`;
    this.#made = { publicKey, save: () => offerFile(name, "application/octet-stream", file), name };
    this.#unsent = true;
    this.#made.save();
    this.#showReadBack(this.#made);
  }

  #showReadBack(made) {
    const t = this.#texts;
    const { uuid } = this.#root.dataset;
    const file = this.#fileField();
    const phrase = this.#passphraseField("trustee-passphrase", "passphrase_label", "off");
    const name = made?.name ?? `govern-trustee-key-${uuid}.age`;
    let first = null;
    const send = this.#button("read_back", () =>
      this.#during(send, async () => {
        const key = await this.#readKey(file.input, phrase.input.value);
        if (key === null) return;
        if (made && key.publicKey !== made.publicKey) {
          this.#showError(t("error_file_other_key"));
          return;
        }
        this.status.textContent = t("sending_key");
        const { publicKeyUrl, csrfToken } = this.#root.dataset;
        // Each reading proves the key anew; after a lost answer the very same text is sent again.
        if (first?.publicKey !== key.publicKey) first = key;
        await postJson(publicKeyUrl, { public_key: first.json }, csrfToken);
        this.#unsent = false;
        this.#root.dataset.publicKey = key.publicKey;
        this.#showNote("key_sent_heading", "key_sent_intro");
      }),
    );
    const again = made ? [this.#button("save_again", () => made.save(), "secondary")] : [];
    this.#step(
      "read-back",
      "saved_heading",
      ...(made ? [element("p", {}, t("saved_intro", { file: name }))] : []),
      ...file.nodes,
      ...phrase.nodes,
      element("div", { class: "booth-actions" }, send, ...again),
    );
  }

  /** Open the chosen file. @returns the key's public parts, or `null` when an error is shown */
  async #readKey(input, passphrase) {
    const t = this.#texts;
    const [file] = input.files;
    if (!file) {
      this.#showError(t("error_file_missing"));
      return null;
    }
    if (file.size > LARGEST_KEY_FILE) {
      this.#showError(t("error_file_large"));
      return null;
    }
    this.status.textContent = t("reading");
    const bytes = new Uint8Array(await file.arrayBuffer());
    const { uuid, group: groupName } = this.#root.dataset;
    try {
      return await this.#ask({ type: "read", bytes, passphrase, uuid, groupName });
    } catch (error) {
      if (!(error.step in FILE_ERRORS)) throw error;
      this.#showError(t(FILE_ERRORS[error.step]));
      return null;
    }
  }

  // --- after the close ---------------------------------------------------------------------

  #showDecrypt() {
    const t = this.#texts;
    const file = this.#fileField();
    const phrase = this.#passphraseField("trustee-passphrase", "passphrase_label", "off");
    let part = null;
    const go = this.#button("decrypt", () =>
      this.#during(go, async () => {
        part ??= await this.#makePart(file.input, phrase.input.value);
        if (part === null) return;
        this.#unsent = true;
        this.status.textContent = t("sending_part");
        const { partialDecryptionUrl, csrfToken } = this.#root.dataset;
        await postJson(partialDecryptionUrl, { partial_decryption: part.partial }, csrfToken);
        this.#unsent = false;
        this.#showPartSent(part.summary);
      }),
    );
    this.#step(
      "decrypt",
      "decrypt_heading",
      element("p", {}, t("decrypt_intro")),
      ...file.nodes,
      ...phrase.nodes,
      element("div", { class: "booth-actions" }, go),
    );
  }

  async #makePart(input, passphrase) {
    const t = this.#texts;
    const { uuid, archiveUrl, publicKey } = this.#root.dataset;
    const key = await this.#readKey(input, passphrase);
    if (key === null) return null;
    if (publicKey && key.publicKey !== publicKey) {
      this.#showError(t("error_key_not_in_election"));
      return null;
    }
    const memory = `govern-trustee-tally:${uuid}`;
    const rememberedTally = window.localStorage.getItem(memory);
    const address = new URL(archiveUrl, window.location.href).href;
    this.status.textContent = t("downloading");
    const counts = { read: 0, checked: 0 };
    const bar = element("progress", { max: "1", "aria-label": t("downloading") });
    this.status.before(bar);
    try {
      const part = await this.#ask({ type: "open-part", address, rememberedTally }, (progress) => {
        counts[progress.kind] = progress.count;
        this.#showCounts(bar, counts);
      });
      // One tally for one election: remembered before anything is sent.
      window.localStorage.setItem(memory, part.summary.tallyHash);
      return part;
    } catch (error) {
      if (!(error instanceof WorkerFailure) || ["network", "unexpected"].includes(error.step)) {
        throw error;
      }
      const text = ARCHIVE_ERRORS[error.step] ?? "error_archive";
      this.#showError(t(text, { reason: error.message }));
      return null;
    } finally {
      bar.remove();
    }
  }

  #showCounts(bar, { read, checked }) {
    const t = this.#texts;
    // The live region is not to speak at every ballot.
    if (checked > 0 && checked % 25 !== 0) return;
    bar.max = read;
    bar.value = checked;
    this.status.textContent =
      checked > 0
        ? t("checking_count", { done: checked, total: read })
        : t("downloading_count", { count: read });
  }

  #showPartSent({ numTallied, fingerprint, setupHash, tallyHash }) {
    const t = this.#texts;
    this.#step(
      "sent",
      "done_heading",
      element("p", {}, t("done_intro")),
      element("p", {}, t("checked")),
      element("p", {}, t("checked_ballots", { count: numTallied })),
      facts([
        [t("checked_fingerprint"), hashText(fingerprint)],
        [t("checked_setup"), hashText(setupHash)],
        [t("checked_tally"), hashText(tallyHash)],
      ]),
    );
  }
}

/** Take over the trustee's page. */
export function startTrusteePage(root) {
  return new TrusteePage(root).start();
}
