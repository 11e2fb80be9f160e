/** The questions that the server rendered: reading ticks, showing counts and problems. */
import { element } from "../shared/dom.js";
import { describeCount, isSameText, problemWith } from "./choices.js";

/** The page shows another text than the election that would be sealed. */
export class TextMismatch extends Error {
  constructor(question) {
    super(`question ${question + 1}`);
    this.question = question;
  }
}

const shownText = (node, selector) => node?.querySelector(selector)?.textContent ?? "";

class QuestionView {
  constructor(fieldset, question, index, texts) {
    this.fieldset = fieldset;
    this.question = question;
    this.texts = texts;
    this.inputs = [...fieldset.querySelectorAll("input[type=radio], input[type=checkbox]")];
    this.#requireSameTexts(index);
    const id = `booth-q${index}`;
    this.count = element("p", { class: "booth-limit", id: `${id}-count`, "aria-live": "polite" });
    this.error = element("p", { class: "booth-error", id: `${id}-error`, hidden: true });
    fieldset.append(this.count, this.error);
    const described = [fieldset.getAttribute("aria-describedby"), this.error.id, this.count.id];
    fieldset.setAttribute("aria-describedby", described.filter(Boolean).join(" "));
    fieldset.addEventListener("change", (event) => this.#changed(event.target));
    this.refresh();
  }

  #requireSameTexts(index) {
    const { question, fieldset, inputs } = this;
    const expected = [...question.answers.keys()].map(String);
    if (question.blank) expected.push("blank");
    const values = inputs.map((input) => input.value);
    const complete =
      values.length === expected.length && expected.every((value) => values.includes(value));
    const sameQuestion = isSameText(shownText(fieldset, "[data-question-text]"), question.question);
    const sameAnswers = inputs.every(
      (input) =>
        input.value === "blank" ||
        isSameText(this.answerText(input), question.answers[Number(input.value)] ?? ""),
    );
    if (!complete || !sameQuestion || !sameAnswers) throw new TextMismatch(index);
  }

  answerText(input) {
    return shownText(input.closest("label"), "[data-answer-text]");
  }

  get title() {
    return shownText(this.fieldset, "[data-question-text]").trim();
  }

  get selection() {
    const ticked = this.inputs.filter((input) => input.checked).map((input) => input.value);
    return {
      blank: ticked.includes("blank"),
      answers: ticked.filter((value) => value !== "blank").map(Number),
    };
  }

  /** Texts of what is ticked, as shown. */
  get summary() {
    const { selection, texts } = this;
    if (selection.blank) return [texts("review_blank")];
    if (selection.answers.length === 0) return [texts("review_nothing")];
    return this.inputs
      .filter((input) => input.checked)
      .map((input) => this.answerText(input).trim());
  }

  #changed(input) {
    if (input.checked && input.type === "checkbox") {
      // A blank vote and choices exclude each other: the last tick says what is meant.
      const isBlank = input.value === "blank";
      for (const other of this.inputs) {
        if (other !== input && (isBlank || other.value === "blank")) other.checked = false;
      }
    }
    this.refresh();
  }

  refresh() {
    const { key, values } = describeCount(this.question, this.selection);
    this.count.textContent = this.texts(key, values);
    const problem = problemWith(this.question, this.selection);
    if (!problem || problem.key === "error_too_many") this.#show(problem);
  }

  #show(problem) {
    this.error.hidden = problem === null;
    this.error.textContent = problem ? this.texts(problem.key, problem.values) : "";
    for (const input of this.inputs) {
      if (problem) input.setAttribute("aria-invalid", "true");
      else input.removeAttribute("aria-invalid");
    }
  }

  /** Show what is wrong, if anything. @returns {boolean} whether the question is answered */
  check() {
    const problem = problemWith(this.question, this.selection);
    this.#show(problem);
    return problem === null;
  }

  focus() {
    (this.inputs.find((input) => input.checked) ?? this.inputs[0]).focus();
  }

  clear() {
    for (const input of this.inputs) input.checked = false;
    this.refresh();
  }
}

/**
 * Bind the rendered fieldsets to the election's questions.
 * @throws {TextMismatch}
 */
export function bindQuestions(container, questions, texts) {
  const fieldsets = [...container.querySelectorAll("fieldset[data-question]")];
  if (fieldsets.length !== questions.length) throw new TextMismatch(fieldsets.length);
  return questions.map((question, index) => {
    const fieldset = fieldsets.find((one) => one.dataset.question === String(index));
    if (!fieldset) throw new TextMismatch(index);
    return new QuestionView(fieldset, question, index, texts);
  });
}
