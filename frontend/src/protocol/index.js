/** The protocol's public face: what the pages, the workers and the tests use. */
export { parseBallot, prepareBallot, requireChoices, signBallot, verifyBallot } from "./ballot.js";
export { readEvents, verifyArchive } from "./archive.js";
export { readRecords } from "./archive-records.js";
export { CodeError, isCode, normaliseCode, privateCredential, publicCredential } from "./credentials.js";
export { choiceCount, parseElection } from "./election.js";
export { hashBase64, hashToScalar, parseScalar, parseStrict, sha256Hex } from "./encoding.js";
export { ProtocolError } from "./errors.js";
export { generatorPower, groupNamed } from "./groups.js";
export { replayScalars, scalarSource, systemRandomBytes } from "./randomness.js";
export {
  decryptTally,
  makeTrusteeKey,
  readKeyFile,
  verifyPartialDecryption,
  verifyTrusteeKey,
  writeKeyFile,
} from "./trustee.js";
