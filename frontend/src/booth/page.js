/**
 * The voter's steps: choose → review → code → seal and cast → receipt.
 *
 * The choices and the voting code stay in this page and its worker. What is sent is the sealed
 * ballot alone, and only when the voter casts it; until the tracker is shown the page says that
 * the vote is not yet cast. A sealed ballot is kept until the server has confirmed it.
 */
import english from "../../strings/booth.json";
import {
  CodeError,
  normaliseCode,
  parseElection,
  privateCredential,
  publicCredential,
} from "../protocol/index.js";
import { element, facts, focusHeading, hashText } from "../shared/dom.js";
import { postJson, Refusal } from "../shared/post.js";
import { createTexts, readTexts } from "../shared/texts.js";
import { toPlaintexts } from "./choices.js";
import { codeField, receiptParts } from "./parts.js";
import { bindQuestions, TextMismatch } from "./questions.js";
import { boardAddress, isReceiptSigned } from "./receipt.js";
import { SealingClient } from "./sealing-client.js";

const STEPS = ["choose", "review", "code", "seal", "receipt"];

/** A reason not to let anybody vote here; the message is for the voter. */
class Failure extends Error {}

class Booth {
  #texts = createTexts(english, readTexts("booth-strings"));
  #root;
  #client = new SealingClient();
  #election = null;
  #questions = [];
  #credentials = null;
  #sections = {};
  #ballot = null;
  #state = "choosing";

  constructor(root) {
    this.#root = root;
  }

  async start() {
    const t = this.#texts;
    const questions = this.#root.querySelector("[data-questions]");
    this.banner = element(
      "p",
      { class: "booth-banner", role: "status", "data-booth-banner": true },
      t("banner_not_cast"),
    );
    const loading = element("p", { "aria-live": "polite" }, t("loading"));
    questions.hidden = true;
    this.#root.prepend(this.banner, loading);
    try {
      this.#election = await this.#loadElection();
      this.#questions = bindQuestions(questions, this.#election.questions, t);
    } catch (error) {
      loading.remove();
      this.#fail(error);
      return;
    }
    loading.remove();
    this.#build(questions);
    questions.hidden = false;
    this.#root.dataset.step = "choose";
    window.addEventListener("beforeunload", (event) => this.#warn(event));
    // The tables of the election's key are made while the voter reads and chooses.
    this.#client.open(this.#election.text).catch((error) => this.#fail(error));
  }

  async #loadElection() {
    const t = this.#texts;
    let text;
    try {
      const response = await fetch(this.#root.dataset.electionUrl, { credentials: "same-origin" });
      if (!response.ok) throw new Error(String(response.status));
      text = await response.text();
    } catch {
      throw new Failure(t("failure_election"));
    }
    let election;
    try {
      election = parseElection(text);
    } catch (error) {
      throw new Failure(t("failure_invalid", { reason: error.message }));
    }
    const announced = this.#root.dataset.fingerprint;
    if (announced && announced !== election.fingerprint) {
      throw new Failure(t("failure_fingerprint"));
    }
    return election;
  }

  #fail(error) {
    const t = this.#texts;
    this.#state = "failed";
    let detail = error.message;
    if (error instanceof TextMismatch) detail = t("failure_texts", { question: error.question + 1 });
    else if (!(error instanceof Failure)) detail = t("failure_sealing", { reason: error.message });
    const alert = element(
      "div",
      { class: "booth-error", role: "alert" },
      element("h2", { tabindex: "-1" }, t("failure_title")),
      element("p", {}, detail),
    );
    this.#root.querySelector("[data-questions]").hidden = true;
    for (const section of Object.values(this.#sections)) section.hidden = true;
    this.#root.prepend(alert);
    this.#root.dataset.step = "failed";
    focusHeading(alert);
  }

  // --- the five sections -------------------------------------------------------------------

  #section(step, heading, ...children) {
    const t = this.#texts;
    const number = STEPS.indexOf(step) + 1;
    const section = element(
      "section",
      { class: "booth-section", "data-booth-step": step, hidden: true },
      element("p", { class: "booth-step" }, t("step_of", { step: number, total: STEPS.length })),
      element("h2", { tabindex: "-1" }, t(heading)),
      ...children,
    );
    this.#sections[step] = section;
    return section;
  }

  #button(key, action, kind = "") {
    const name = `button ${kind}`.trim();
    const text = this.#texts(key);
    return element("button", { type: "button", class: name, "data-action": key, onClick: action }, text);
  }

  #actions(...buttons) {
    return element("div", { class: "booth-actions" }, ...buttons);
  }

  #build(questions) {
    const t = this.#texts;
    this.summary = element("div", { class: "booth-error", role: "alert", hidden: true });
    const choose = this.#section(
      "choose",
      "choose_heading",
      element("p", {}, t("choose_intro")),
      this.summary,
    );
    questions.before(choose);
    choose.append(questions, this.#actions(this.#button("to_review", () => this.#review())));
    choose.hidden = false;

    this.review = element("div", {});
    const review = this.#section(
      "review",
      "review_heading",
      element("p", {}, t("review_intro")),
      this.review,
      this.#actions(
        this.#button("to_code", () => this.#askCode()),
        this.#button("change", () => this.#show("choose"), "secondary"),
      ),
    );

    const seal = this.#section("seal", "seal_heading");
    const receipt = this.#section("receipt", "receipt_heading");
    choose.after(review, this.#buildCode(), seal, receipt);
  }

  #buildCode() {
    this.code = codeField(this.#texts, () => this.#seal());
    return this.#section(
      "code",
      "code_heading",
      element("p", {}, this.#texts("code_intro")),
      this.code.field,
      this.#actions(
        this.#button("to_seal", () => this.#seal()),
        this.#button("back", () => this.#show("review"), "secondary"),
      ),
    );
  }

  #show(step) {
    for (const [name, section] of Object.entries(this.#sections)) section.hidden = name !== step;
    this.#root.dataset.step = step;
    focusHeading(this.#sections[step]);
  }

  // --- choose and review -------------------------------------------------------------------

  #review() {
    const t = this.#texts;
    const open = this.#questions.filter((question) => !question.check());
    this.summary.hidden = open.length === 0;
    this.summary.replaceChildren();
    if (open.length > 0) {
      const list = element(
        "ul",
        {},
        open.map((question) =>
          element("li", {}, this.#link(question.title, () => question.focus())),
        ),
      );
      this.summary.append(element("p", {}, t("error_summary")), list);
      open[0].focus();
      return;
    }
    const entries = this.#questions.map((question, index) => [
      question.title,
      ...question.summary.map((text) => element("strong", {}, text)),
      this.#changeButton(question, index),
    ]);
    this.review.replaceChildren(facts(entries, "booth-review"));
    this.#show("review");
  }

  #link(text, action) {
    return element("button", { type: "button", class: "button quiet", onClick: action }, text);
  }

  #changeButton(question, index) {
    const t = this.#texts;
    return element(
      "button",
      {
        type: "button",
        class: "button secondary",
        "data-change": index,
        "aria-label": t("change_question", { question: question.title }),
        onClick: () => {
          this.#show("choose");
          question.focus();
        },
      },
      t("change"),
    );
  }

  // --- the code and sealing ----------------------------------------------------------------

  #askCode() {
    this.#show("code");
    this.#loadCredentials();
  }

  /** Fetch the public credentials once, so that a mistyped code is noticed on the device. */
  #loadCredentials() {
    const address = this.#root.dataset.credentialsUrl;
    if (!address || this.#credentials) return;
    const signal = AbortSignal.timeout(8_000); // a convenience: nobody waits long for it
    this.#credentials = fetch(address, { credentials: "same-origin", signal })
      .then((response) => (response.ok ? response.json() : null))
      .then((list) => (Array.isArray(list) ? new Set(list) : null))
      .catch(() => null); // the server checks the credential in any case
  }

  async #readCode() {
    const t = this.#texts;
    try {
      const code = normaliseCode(this.code.value());
      const { group, uuid } = this.#election;
      const known = await this.#credentials;
      if (known && !known.has(publicCredential(group, privateCredential(group, uuid, code)))) {
        throw new Failure(t("error_code_unknown"));
      }
      return code;
    } catch (error) {
      const message =
        error instanceof CodeError ? t(`error_code_${error.reason}`, error.details) : error.message;
      this.code.show(message);
      return null;
    }
  }

  async #seal() {
    if (this.#state !== "choosing") return;
    this.#state = "sealing";
    const t = this.#texts;
    const code = await this.#readCode();
    if (code === null) {
      this.#state = "choosing";
      return;
    }
    this.code.show(null);
    const bar = element("progress", { max: "1", value: "0", "aria-label": t("seal_heading") });
    const line = element("p", {});
    this.#fillSeal("seal_heading", element("p", {}, t("seal_intro")), bar, line);
    this.#show("seal");
    const plaintexts = this.#questions.map(({ question, selection }) =>
      toPlaintexts(question, selection),
    );
    try {
      const { hash } = await this.#client.seal(code, plaintexts, (done, total) => {
        bar.max = total;
        bar.value = done;
        line.textContent = t("seal_progress", { done, total });
      });
      this.code.clear();
      this.#offerCast(hash);
    } catch (error) {
      this.#fail(error);
    }
  }

  #fillSeal(heading, ...children) {
    const section = this.#sections.seal;
    section.querySelector("h2").textContent = this.#texts(heading);
    while (section.children.length > 2) section.lastElementChild.remove();
    section.append(...children);
  }

  #offerCast(hash) {
    const t = this.#texts;
    this.#state = "sealed";
    this.#fillSeal(
      "sealed_heading",
      element("p", {}, t("sealed_intro")),
      facts([
        [t("sealed_hash"), hashText(hash, { "data-booth-hash": true })],
        [t("fingerprint"), hashText(this.#election.fingerprint)],
      ]),
      this.#actions(
        this.#button("cast", () => this.#cast()),
        this.#button("start_over", () => this.#startOver(), "secondary"),
      ),
    );
    focusHeading(this.#sections.seal);
  }

  #startOver() {
    this.#client.forget();
    this.#ballot = null;
    this.#state = "choosing";
    this.banner.textContent = this.#texts("banner_not_cast");
    this.#show("choose");
  }

  // --- casting -----------------------------------------------------------------------------

  async #cast() {
    if (this.#state !== "sealed") return;
    this.#state = "casting";
    const t = this.#texts;
    const { castUrl, csrfToken, receiptKey } = this.#root.dataset;
    const bar = element("progress", { "aria-label": t("casting") });
    this.#fillSeal("casting_heading", element("p", { role: "status" }, t("casting")), bar);
    focusHeading(this.#sections.seal);
    try {
      this.#ballot ??= await this.#client.sign();
      const { ballot, tracker } = this.#ballot;
      const receipt = await postJson(castUrl, { ballot }, csrfToken);
      const signed = !receiptKey || isReceiptSigned(this.#election.uuid, receipt, receiptKey);
      if (receipt.tracker !== tracker || !signed) {
        const same = receipt.tracker === tracker;
        this.#showProblem({
          title: t("error_tracker_title"),
          detail: t(same ? "error_signature_detail" : "error_tracker_detail"),
          remedy: `${t("error_tracker_remedy")} ${tracker}`,
        });
        return;
      }
      this.#showReceipt(receipt);
    } catch (error) {
      if (error instanceof Refusal) this.#showProblem(error, true);
      else if (this.#ballot === null) this.#fail(error);
      else {
        this.banner.textContent = t("banner_uncertain");
        const title = error.answered ? t("error_server_title") : t("error_network_title");
        const [detail, remedy] = [t("error_network_detail"), t("error_network_remedy")];
        this.#showProblem({ title, detail, remedy });
      }
    }
  }

  /** Say what went wrong; the sealed ballot is kept, and the same bytes are sent again. */
  #showProblem({ title, detail, remedy }, refused = false) {
    const t = this.#texts;
    const heading = refused ? "refused_heading" : "uncertain_heading";
    this.#state = "sealed";
    if (refused) this.banner.textContent = t("banner_not_cast");
    const alert = element(
      "div",
      { class: "booth-error", role: "alert" },
      element("p", {}, element("strong", {}, title)),
      element("p", {}, detail),
      element("p", {}, remedy),
    );
    const again = this.#button("try_again", () => this.#cast());
    const over = refused ? this.#button("start_over", () => this.#startOver(), "secondary") : null;
    this.#fillSeal(heading, alert, this.#actions(again, ...(over ? [over] : [])));
    again.focus();
  }

  #showReceipt(receipt) {
    const t = this.#texts;
    this.#state = "cast";
    const { boardUrl } = this.#root.dataset;
    const board = boardAddress(boardUrl, receipt.tracker, window.location.href);
    this.banner.textContent = t("banner_cast");
    this.banner.className = "notice good booth-banner-done";
    this.#sections.receipt.append(
      ...receiptParts(t, this.#election, receipt, board, (...args) => this.#button(...args)),
    );
    // Nothing of the choice is left on the page: going back must not show it.
    for (const question of this.#questions) question.clear();
    this.review.replaceChildren();
    this.#client.close();
    this.#show("receipt");
  }

  #warn(event) {
    const touched = this.#questions.some(
      ({ selection }) => selection.blank || selection.answers.length > 0,
    );
    const ended = ["cast", "failed"].includes(this.#state);
    if (!ended && (touched || this.#state !== "choosing")) event.preventDefault();
  }
}

/** Take over the booth's page. */
export function startBooth(root) {
  return new Booth(root).start();
}
