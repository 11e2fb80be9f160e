/**
 * Several powers of one element for little more than the price of one (Yao's method).
 *
 * The squarings base, base^2, base^4, … are made once; each exponent only sorts them into
 * buckets by its digits, and its power is put together from the buckets. A verifier raises every
 * α and β to two or more challenges, and to q to see that it is in the group.
 * For public exponents: time depends on them.
 */

const BUCKETS = 8;

/**
 * Digits from the lowest: zero or odd, below 16 in size; negative ones only where `signed`.
 * After each odd digit at least three (signed: four) are zero.
 */
function recode(exponent, signed) {
  const size = signed ? 32 : 16;
  const mask = BigInt(size - 1);
  const digits = [];
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    let digit = 0;
    if (rest & 1n) {
      digit = Number(rest & mask);
      if (signed && digit > 16) digit -= 32;
      rest -= BigInt(digit);
    }
    digits.push(digit);
  }
  return digits;
}

/**
 * @param {{multiply, square, identity, invert?}} operations `invert` only where it costs nothing
 * @param element @param {bigint[]} exponents not negative, of any size
 * @returns element^exponent for each
 */
export function sharedPowers({ multiply, square, identity, invert }, element, exponents) {
  const recoded = exponents.map((exponent) => recode(exponent, invert !== undefined));
  const length = Math.max(0, ...recoded.map((digits) => digits.length));
  const sorted = exponents.map(() => new Array(BUCKETS).fill(null));
  let step = element;
  for (let bit = 0; bit < length; bit += 1) {
    if (bit > 0) step = square(step);
    recoded.forEach((digits, index) => {
      const digit = digits[bit]; // undefined beyond the end of a shorter exponent
      if (!digit) return;
      const item = digit < 0 ? invert(step) : step;
      const bucket = (Math.abs(digit) - 1) >> 1;
      const held = sorted[index][bucket];
      sorted[index][bucket] = held === null ? item : multiply(held, item);
    });
  }
  // Bucket k holds what is to be raised to 2k + 1. With S_k the product of the buckets from k up,
  // the power is S_0 · (S_1 · S_2 · …)^2.
  return sorted.map((buckets) => {
    let sum = identity;
    let doubled = identity;
    for (let k = BUCKETS - 1; k > 0; k -= 1) {
      if (buckets[k] !== null) sum = multiply(sum, buckets[k]);
      doubled = multiply(doubled, sum);
    }
    if (buckets[0] !== null) sum = multiply(sum, buckets[0]);
    return multiply(sum, square(doubled));
  });
}
