/**
 * What the trustee's worker does: making the key, opening the key file, checking the box and
 * making the partial decryption. The private key never leaves the worker except encrypted.
 */
import { Decrypter, Encrypter } from "age-encryption";

import {
  decryptTally,
  groupNamed,
  makeTrusteeKey,
  ProtocolError,
  readKeyFile,
  scalarSource,
  verifyArchive,
  verifyPartialDecryption,
  writeKeyFile,
} from "../protocol/index.js";

/** Protect the text of a key file with a passphrase (age, scrypt). @returns {Promise<Uint8Array>} */
export async function protectKey(text, passphrase, workFactor = 18) {
  const encrypter = new Encrypter();
  encrypter.setPassphrase(passphrase.normalize("NFC"));
  encrypter.setScryptWorkFactor(workFactor);
  return encrypter.encrypt(text);
}

/** @throws {ProtocolError} `key_file_closed`: wrong passphrase, or not such a file */
export async function openKey(bytes, passphrase) {
  const decrypter = new Decrypter();
  decrypter.addPassphrase(passphrase.normalize("NFC"));
  let text;
  try {
    text = await decrypter.decrypt(bytes, "text");
  } catch {
    throw new ProtocolError("key_file_closed", "The file could not be opened.");
  }
  return readKeyFile(groupNamed, text);
}

/** Make a key of one's own and the file that keeps it. */
export async function makeKey({ uuid, groupName, passphrase, workFactor }) {
  const group = groupNamed(groupName);
  const next = scalarSource(group.q);
  const secret = next();
  const { publicKey } = makeTrusteeKey(group, secret, next);
  const file = await protectKey(writeKeyFile(group, uuid, secret, publicKey), passphrase, workFactor);
  return { publicKey, file };
}

/** Open a key file; returns the key with a fresh `trustee_public_key` for the server. */
export async function readKey({ bytes, passphrase, uuid, groupName }) {
  const key = await openKey(bytes, passphrase);
  if (key.uuid !== uuid || key.group.name !== groupName) {
    throw new ProtocolError("key_file_election", "The key file belongs to another election.");
  }
  const { json } = makeTrusteeKey(key.group, key.secret, scalarSource(key.group.q));
  return { ...key, json };
}

/**
 * Check an archive and, if everything in it holds, open one's part of its tally.
 * @param key from `readKey`
 * @param {AsyncIterable<Uint8Array>} source
 * @param options those of `verifyArchive`; `rememberedTally`: hash of a tally that this device
 *   opened before in this election, if any: another one is refused
 */
export async function openPart(key, source, { rememberedTally = null, ...options } = {}) {
  const archive = await verifyArchive(source, options);
  const { election } = archive;
  const refuse = (step, detail) => {
    throw new ProtocolError(step, detail);
  };
  if (election.uuid !== key.uuid) refuse("setup", "The archive belongs to another election.");
  if (!archive.trusteeKeys.includes(key.publicKey)) {
    refuse("key_not_in_election", "The key is not among those of the election.");
  }
  if (archive.tallyHash === null) refuse("no_tally", "The election is not closed.");
  if (rememberedTally !== null && rememberedTally !== archive.tallyHash) {
    refuse("other_tally", "Another tally of this election was opened on this device before.");
  }
  const next = scalarSource(election.group.q);
  const partial = decryptTally(election, key.secret, key.publicKey, archive.tally, next);
  verifyPartialDecryption(election, key.publicKey, archive.tally, partial);
  return {
    partial,
    summary: {
      numTallied: archive.numTallied,
      fingerprint: election.fingerprint,
      setupHash: archive.setupHash,
      tallyHash: archive.tallyHash,
    },
  };
}
