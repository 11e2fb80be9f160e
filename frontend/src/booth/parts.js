/** Two pieces of the booth's page: the field for the voting code, and the receipt. */
import { element, facts, hashText, offerFile } from "../shared/dom.js";
import { dayInWords, qrImage, receiptText } from "./receipt.js";

/**
 * The field for the voting code, with its help and its error.
 * @param t the texts @param {() => void} onEnter
 * @returns `field` (the element), `value()`, `show(message | null)` (says what is wrong and moves
 *   the focus), `clear()`
 */
export function codeField(t, onEnter) {
  const input = element("input", {
    id: "booth-code",
    // Not a password field: browsers would offer to keep the code, some of them elsewhere.
    type: "text",
    autocomplete: "off",
    autocapitalize: "none",
    autocorrect: "off",
    spellcheck: "false",
    maxlength: "80",
    "aria-describedby": "booth-code-hint booth-code-error",
    "data-1p-ignore": true,
    "data-lpignore": "true",
    onKeydown: (event) => {
      if (event.key === "Enter") onEnter();
    },
  });
  const error = element("p", { id: "booth-code-error", class: "error", role: "alert", hidden: true });
  const field = element(
    "div",
    { class: "field booth-code" },
    element("label", { for: "booth-code" }, t("code_label")),
    element("p", { id: "booth-code-hint", class: "help" }, t("code_hint")),
    error,
    input,
  );
  return {
    field,
    value: () => input.value,
    show(message) {
      error.textContent = message ?? "";
      error.hidden = message === null;
      field.classList.toggle("invalid", message !== null);
      if (message === null) {
        input.removeAttribute("aria-invalid");
        return;
      }
      input.setAttribute("aria-invalid", "true");
      input.focus();
    },
    clear() {
      input.value = "";
    },
  };
}

/**
 * What the last step shows: tracker, facts, QR code, and ways to keep them.
 * @param t the texts @param election @param receipt the server's answer
 * @param {string} board the ballot's address on the public board
 * @param button makes a button from a text's key, an action and a kind
 */
export function receiptParts(t, election, receipt, board, button) {
  const copied = element("p", { role: "status" });
  const buttons = [
    button("receipt_save", () => {
      const name = `receipt-${election.uuid}.json`;
      offerFile(name, "application/json", receiptText(election, receipt, board));
    }),
  ];
  if (navigator.clipboard) {
    const copy = async () => {
      await navigator.clipboard.writeText(receipt.tracker);
      copied.textContent = t("receipt_copied");
    };
    buttons.push(button("receipt_copy", copy, "secondary"));
  }
  return [
    element("p", {}, t("receipt_intro")),
    facts(
      [
        [t("receipt_tracker"), hashText(receipt.tracker, { "data-receipt": "tracker" })],
        [t("receipt_height"), hashText(String(receipt.height), { "data-receipt": "height" })],
        [t("receipt_day"), dayInWords(receipt.received_at_day, document.documentElement.lang)],
        [t("receipt_event"), hashText(receipt.event_hash)],
        [t("receipt_signature"), hashText(receipt.signature)],
        [t("fingerprint"), hashText(election.fingerprint)],
      ],
      "booth-receipt",
    ),
    qrImage(board, t("receipt_qr")),
    element("div", { class: "booth-actions" }, ...buttons),
    copied,
    element("p", {}, element("a", { href: board }, t("receipt_board"))),
    element("p", {}, t("receipt_done")),
  ];
}
