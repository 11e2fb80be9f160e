/** The two groups behind one interface. */
import { belenios2048Group } from "./belenios2048.js";
import { ed25519Group } from "./ed25519.js";
import { ProtocolError } from "./errors.js";

const GROUPS = [ed25519Group, belenios2048Group];
const generatorTables = new Map();

/** @param {string} name as in the election @throws {ProtocolError} `fields` */
export function groupNamed(name) {
  const group = GROUPS.find((candidate) => candidate.name === name);
  if (!group) throw new ProtocolError("fields", `The group ${name} is not known.`);
  return group;
}

/** scalar → g^scalar, with tables made on first use and kept. */
export function generatorPower(group) {
  if (!generatorTables.has(group)) {
    generatorTables.set(group, group.fixedBase(group.generator));
  }
  return generatorTables.get(group);
}

/** A number modulo q, never negative. */
export function modulo(value, q) {
  const rest = value % q;
  return rest < 0n ? rest + q : rest;
}
