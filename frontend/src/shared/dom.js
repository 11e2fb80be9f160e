/** A few helpers for pages made without inline markup, style or handlers. */

/**
 * Make an element. `properties` are attributes; `onClick`-like keys are listeners; `hidden` and
 * `disabled` are flags. Children are elements or texts, never markup.
 */
export function element(name, properties = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (/^on[A-Z]/.test(key)) node.addEventListener(key.slice(2).toLowerCase(), value);
    else node.setAttribute(key, value === true ? "" : String(value));
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

/**
 * A list of facts (the component of the same name): `[term, ...values]` for each; values are
 * elements or texts.
 */
export function facts(entries, name = "") {
  return element(
    "dl",
    { class: `facts ${name}`.trim() },
    entries.map(([term, ...values]) =>
      element(
        "div",
        {},
        element("dt", {}, term),
        // One cell, whatever the number of values: the component has two columns.
        element("dd", {}, values.length > 1 ? values.map((one) => element("div", {}, one)) : values),
      ),
    ),
  );
}

/** A hash, tracker or key: in a fixed-width type and allowed to break anywhere. */
export function hashText(value, attributes = {}) {
  return element("code", { class: "booth-tracker", ...attributes }, value);
}

/** Move the focus to a step's heading, so that it is read and seen first. */
export function focusHeading(section) {
  const heading = section.querySelector("h2");
  heading.focus({ preventScroll: true });
  // Smooth scrolling is left to the stylesheet, which knows who prefers reduced motion.
  section.scrollIntoView({ block: "start" });
}

/** Offer bytes or text for saving under a name. */
export function offerFile(name, type, content) {
  const address = URL.createObjectURL(new Blob([content], { type }));
  const link = element("a", { href: address, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  // The browser has to get hold of the data before the address is given back.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
