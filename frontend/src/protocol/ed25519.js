/**
 * The group "Ed25519": the prime-order subgroup of the curve of RFC 8032, written as 64
 * lower-case hexadecimal digits, the RFC's encoding with its bytes reversed.
 *
 * Written multiplicatively, as the specification does. An element that went through `decode` is
 * canonical, on the curve, free of torsion and not the identity; nothing checks it again.
 */
import { mulAddUnsafe, normalizeZ } from "@noble/curves/abstract/curve.js";
import { ed25519 } from "@noble/curves/ed25519.js";

import { require } from "./errors.js";
import { sharedPowers } from "./shared-powers.js";

const { Point } = ed25519;
const SIGN = 1n << 255n;
const WINDOW = 8;

function encodeAffine({ x, y }) {
  // Reversed little-endian bytes are the big-endian number: no byte juggling is needed.
  return (y | (x & 1n ? SIGN : 0n)).toString(16).padStart(64, "0");
}

function decodePoint(text) {
  require(
    typeof text === "string" && /^[0-9a-f]{64}$/.test(text),
    "element",
    "An element is not 64 lower-case hexadecimal digits.",
  );
  const bytes = new Uint8Array(32);
  for (let i = 0; i < 32; i += 1) {
    bytes[31 - i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16);
  }
  let point = null;
  try {
    point = Point.fromBytes(bytes, false); // strict: y below p, no sign on x = 0
  } catch {
    point = null;
  }
  require(point !== null, "element", "An element is not on the curve in canonical form.");
  return point;
}

const OPERATIONS = {
  identity: Point.ZERO,
  multiply: (left, right) => left.add(right),
  square: (element) => element.double(),
  invert: (element) => element.negate(),
};

export const ed25519Group = Object.freeze({
  name: "Ed25519",
  q: Point.Fn.ORDER,
  generator: Point.BASE,
  identity: Point.ZERO,

  /** @param {string} text @throws {ProtocolError} `element`: the identity is refused */
  decode(text) {
    const point = decodePoint(text);
    require(!point.is0(), "element", "An element is the identity.");
    require(point.isTorsionFree(), "element", "An element is outside the prime-order group.");
    return point;
  },

  /** As `decode`; the identity is legal (tallies, decryption factors, their commitments). */
  decodeWithIdentity(text) {
    const point = decodePoint(text);
    require(point.isTorsionFree(), "element", "An element is outside the prime-order group.");
    return point;
  },

  /**
   * Read a text without looking whether the element is in the group: for one that `decode` has
   * accepted before, or whose q-th power is looked at together with others (`powers`).
   */
  decodeKnown: decodePoint,

  encode: (element) => encodeAffine(element.toAffine()),

  /** Encode many at the price of one inversion. */
  encodeAll: (elements) =>
    elements.length === 0
      ? []
      : normalizeZ(Point, elements).map((point) => encodeAffine({ x: point.X, y: point.Y })),

  multiply: (left, right) => left.add(right),
  divide: (left, right) => left.subtract(right),
  equal: (left, right) => left.equals(right),
  isIdentity: (element) => element.is0(),

  /** element^scalar, 0 ≤ scalar < q. For public scalars: time depends on them. */
  power: (element, scalar) => element.multiplyUnsafe(scalar),

  /** element^exponent for several public exponents, which may be q itself. */
  powers: (element, exponents) => sharedPowers(OPERATIONS, element, exponents),

  /** element^scalar for a secret scalar, with a fixed sequence of operations. */
  powerSecret: (element, scalar) =>
    scalar === 0n || element.is0() ? Point.ZERO : element.multiply(scalar),

  /** left^m · right^n, sharing the doublings; for public scalars. */
  powerProduct: (left, m, right, n) => mulAddUnsafe(Point, [left, right], [m, n]),

  /**
   * A function scalar → base^scalar with precomputed tables. With tables the multiplication is a
   * fixed number of additions, with every entry of a window touched, so secrets may go in.
   */
  fixedBase(base) {
    // A fresh point object carries its own table; the library's generator keeps its smaller one.
    const point = Point.fromAffine(base.toAffine()).precompute(WINDOW);
    point.multiplyUnsafe(2n);
    return (scalar) => point.multiplyUnsafe(scalar);
  },
});
