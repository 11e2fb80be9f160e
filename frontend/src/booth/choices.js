/**
 * What a voter ticked, against the rules of a question. Pure: no page, no network.
 *
 * A selection is `{blank: boolean, answers: number[]}`: the positions ticked.
 */

/** @returns {number[]} zeros and ones, the blank first where the question allows it */
export function toPlaintexts(question, selection) {
  const bits = question.answers.map((_, index) => (selection.answers.includes(index) ? 1 : 0));
  return question.blank ? [selection.blank ? 1 : 0, ...bits] : bits;
}

/**
 * What is wrong with a selection, or `null`.
 * @returns {null | {key: string, values: Record<string, number>}} a text's key and its values
 */
export function problemWith(question, selection) {
  const count = selection.answers.length;
  const { min, max } = question;
  if (selection.blank) {
    return count === 0 ? null : { key: "error_blank_and_choices", values: {} };
  }
  if (count < min) return { key: "error_too_few", values: { min } };
  if (count > max) return { key: "error_too_many", values: { max, excess: count - max } };
  return null;
}

/** The live count under a question. @returns {{key: string, values: Record<string, number>}} */
export function describeCount(question, selection) {
  const count = selection.answers.length;
  const { min, max } = question;
  if (selection.blank && count === 0) return { key: "chosen_blank", values: {} };
  if (count === 0 && min === 0) return { key: "chosen_none_allowed", values: {} };
  if (min === max && count <= max) return { key: "chosen_exactly", values: { count, max } };
  return count < min
    ? { key: "chosen_count_min", values: { count, min, max } }
    : { key: "chosen_count", values: { count, max } };
}

const tidy = (text) => text.normalize("NFC").replace(/\s+/gu, " ").trim();

/**
 * Whether a text shown on the page is the election's text: all of it, or the part of one
 * language. Languages are joined by " / "; a language's own text may contain that too.
 * @param {string} shown @param {string} sealed
 */
export function isSameText(shown, sealed) {
  const wanted = tidy(shown);
  const whole = tidy(sealed);
  return wanted !== "" && (` / ${whole} / `).includes(` / ${wanted} / `);
}
