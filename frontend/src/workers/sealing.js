/**
 * What the sealing worker does, apart from being a worker: the page falls back to running it
 * itself where a worker cannot start.
 *
 * Messages in: `open` {election}, `seal` {credential code, plaintexts}, `sign`, `forget`.
 * Messages out: `opened`, `progress` {done, total}, `sealed` {hash}, `signed` {ballot, tracker},
 * `failed` {step, detail}. The code and the randomness stay here and are dropped after signing.
 */
import {
  parseElection,
  prepareBallot,
  privateCredential,
  publicCredential,
  scalarSource,
  signBallot,
} from "../protocol/index.js";

/** @param {(message: object) => void} post @returns {(message: object) => void} */
export function createSealer(post) {
  let election = null;
  let sealed = null;

  const tasks = {
    open(message) {
      election = parseElection(message.election);
      election.precompute();
      post({ type: "opened", fingerprint: election.fingerprint });
    },
    seal({ code, plaintexts }) {
      const { group, uuid } = election;
      const secret = privateCredential(group, uuid, code);
      const credential = publicCredential(group, secret);
      const next = scalarSource(group.q);
      const prepared = prepareBallot(election, credential, plaintexts, next, (done, total) =>
        post({ type: "progress", done, total }),
      );
      sealed = { prepared, secret, next };
      post({ type: "sealed", hash: prepared.hash });
    },
    sign() {
      const { prepared, secret, next } = sealed;
      sealed = null;
      post({ type: "signed", ...signBallot(election, prepared, secret, next) });
    },
    forget() {
      sealed = null;
    },
  };

  return (message) => {
    try {
      tasks[message.type](message);
    } catch (error) {
      post({ type: "failed", step: error.step ?? "unexpected", detail: error.message });
    }
  };
}
