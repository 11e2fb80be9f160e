/** How good a passphrase is: a hint, not a promise. Pure. */

export const MINIMUM_LENGTH = 12;

const CLASSES = [
  [/\p{Ll}/u, 26],
  [/\p{Lu}/u, 26],
  [/\p{Nd}/u, 10],
  [/[^\p{L}\p{Nd}]/u, 20],
];

/**
 * A rough number of bits: each character counts less the more it repeats, and runs such as
 * "abcd" or "1111" hardly count.
 */
export function estimateBits(passphrase) {
  const characters = [...passphrase];
  const pool = CLASSES.reduce((sum, [kind, size]) => sum + (kind.test(passphrase) ? size : 0), 1);
  const seen = new Map();
  let bits = 0;
  characters.forEach((character, index) => {
    const times = (seen.get(character) ?? 0) + 1;
    seen.set(character, times);
    const step = index > 0 ? character.codePointAt(0) - characters[index - 1].codePointAt(0) : 99;
    const regular = Math.abs(step) <= 1;
    // Words are far from random letters: half of what the alphabet would give.
    bits += (Math.log2(pool) / 2 / times) * (regular ? 0.25 : 1);
  });
  return bits;
}

/** @returns {"short" | "weak" | "fair" | "strong"} */
export function strengthOf(passphrase) {
  if ([...passphrase].length < MINIMUM_LENGTH) return "short";
  const bits = estimateBits(passphrase);
  if (bits < 20) return "weak";
  return bits < 32 ? "fair" : "strong";
}
