/**
 * The group "BELENIOS-2048": the subgroup of order q (256 bits) of the integers modulo p
 * (2048 bits), written in decimal. Parameters: specification of Belenios, section 5.1.
 */
import { require } from "./errors.js";
import { sharedPowers } from "./shared-powers.js";

const P = BigInt(
  "20694785691422546401013643657505008064922989295751104097100884787057374219242717401922237254497684338129066633138078958404960054389636289796393038773905722803605973749427671376777618898589872735865049081167099310535867780980030790491654063777173764198678527273474476341835600035698305193144284561701911000786737307333564123971732897913240474578834468260652327974647951137672658693582180046317922073668860052627186363386088796882120769432366149491002923444346373222145884100586421050242120365433561201320481118852408731077014151666200162313177169372189248078507711827842317498073276598828825169183103125680162072880719",
);
const Q = 78571733251071885079927659812671450121821421258408794611510081919805623223441n;
const G = BigInt(
  "2402352677501852209227687703532399932712287657378364916510075318787663274146353219320285676155269678799694668298749389095083896573425601900601068477164491735474137283104610458681314511781646755400527402889846139864532661215055797097162016168270312886432456663834863635782106154918419982534315189740658186868651151358576410138882215396016043228843603930989333662772848406593138406010231675095763777982665103606822406635076697764025346253773085133173495194248967754052573659049492477631475991575198775177711481490920456600205478127054728238140972518639858334115700568353695553423781475582491896050296680037745308460627",
);

const WINDOW_BITS = 6;
const WINDOW = BigInt(WINDOW_BITS);
const MASK = (1n << WINDOW) - 1n;
const WINDOWS = Math.ceil(Q.toString(2).length / WINDOW_BITS);

/** base^exponent mod p with windows of four bits. */
function modularPower(base, exponent) {
  const odd = [1n, base];
  for (let i = 2; i < 16; i += 1) odd.push((odd[i - 1] * base) % P);
  const digits = exponent.toString(16);
  let result = 1n;
  for (let i = 0; i < digits.length; i += 1) {
    if (i > 0) {
      for (let k = 0; k < 4; k += 1) result = (result * result) % P;
    }
    const digit = Number.parseInt(digits[i], 16);
    if (digit !== 0) result = (result * odd[digit]) % P;
  }
  return result;
}

function modularInverse(value) {
  let [a, b, u, v] = [value, P, 1n, 0n];
  while (b !== 0n) {
    const quotient = a / b;
    [a, b] = [b, a - quotient * b];
    [u, v] = [v, u - quotient * v];
  }
  return ((u % P) + P) % P;
}

function decodeNumber(text) {
  require(
    typeof text === "string" && text.length <= 617 && /^(0|[1-9][0-9]*)$/.test(text),
    "element",
    "An element is not in plain decimal digits.",
  );
  const value = BigInt(text);
  require(value > 0n && value < P, "element", "An element is not between 0 and p.");
  return value;
}

function decodeWithIdentity(text) {
  const value = decodeNumber(text);
  require(modularPower(value, Q) === 1n, "element", "An element is outside the group of order q.");
  return value;
}

const OPERATIONS = {
  identity: 1n,
  multiply: (left, right) => (left * right) % P,
  square: (element) => (element * element) % P,
};

export const belenios2048Group = Object.freeze({
  name: "BELENIOS-2048",
  q: Q,
  generator: G,
  identity: 1n,

  /** @param {string} text @throws {ProtocolError} `element`: the identity is refused */
  decode(text) {
    const value = decodeWithIdentity(text);
    require(value !== 1n, "element", "An element is the identity.");
    return value;
  },
  decodeWithIdentity,
  decodeKnown: decodeNumber,

  encode: (element) => element.toString(),
  encodeAll: (elements) => elements.map(String),

  multiply: (left, right) => (left * right) % P,
  divide: (left, right) => (left * modularInverse(right)) % P,
  equal: (left, right) => left === right,
  isIdentity: (element) => element === 1n,

  power: modularPower,
  powers: (element, exponents) => sharedPowers(OPERATIONS, element, exponents),
  powerSecret: modularPower,
  powerProduct: (left, m, right, n) => (modularPower(left, m) * modularPower(right, n)) % P,

  /** A function scalar → base^scalar: one table of 64 powers for each window of six bits. */
  fixedBase(base) {
    const tables = [];
    let step = base;
    for (let w = 0; w < WINDOWS; w += 1) {
      const table = [1n];
      for (let i = 1; i <= Number(MASK); i += 1) table.push((table[i - 1] * step) % P);
      tables.push(table);
      step = (table[Number(MASK)] * step) % P;
    }
    return (scalar) => {
      let result = 1n;
      let rest = scalar;
      for (let w = 0; w < WINDOWS; w += 1) {
        result = (result * tables[w][Number(rest & MASK)]) % P;
        rest >>= WINDOW;
      }
      return result;
    };
  },
});
