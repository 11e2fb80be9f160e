/** Texts that the server sends translated, with the English source as the fall-back. */

/**
 * @param {Record<string, string>} english
 * @param {Record<string, string>} translated
 * @returns {(key: string, values?: Record<string, string|number>) => string}
 */
export function createTexts(english, translated = {}) {
  return (key, values = {}) => {
    const text = translated[key] || english[key];
    if (text === undefined) throw new Error(`no text for ${key}`);
    return text.replace(/%\((\w+)\)s/g, (_, name) => String(values[name] ?? ""));
  };
}

/** Read the JSON of `<script type="application/json" id=…>`. */
export function readTexts(id) {
  const element = document.getElementById(id);
  return element ? JSON.parse(element.textContent) : {};
}
