/**
 * How long a device takes to seal a ballot. Self-contained, so that it runs in node and, through
 * Playwright, in Chromium against the served bundle (see README.md, "Measuring").
 *
 * @param protocol the namespace of `src/protocol/index.js`
 * @param {{election: string, code: string, plaintexts: number[][], rounds?: number}} task
 * @returns {{tables_ms: number, first_ms: number, median_ms: number, worst_ms: number,
 *   ciphertexts: number}} `tables_ms` is spent while the voter reads, `first_ms` is what a voter
 *   waits for (code to signed ballot), the others are over all rounds
 */
export function measureSealing(protocol, { election: text, code, plaintexts, rounds = 20 }) {
  const start = performance.now();
  const election = protocol.parseElection(text);
  election.precompute();
  const tables = performance.now() - start;
  const times = [];
  for (let round = 0; round < rounds; round += 1) {
    const begin = performance.now();
    const secret = protocol.privateCredential(election.group, election.uuid, code);
    const credential = protocol.publicCredential(election.group, secret);
    const next = protocol.scalarSource(election.group.q);
    const prepared = protocol.prepareBallot(election, credential, plaintexts, next);
    protocol.signBallot(election, prepared, secret, next);
    times.push(performance.now() - begin);
  }
  const sorted = [...times].sort((left, right) => left - right);
  const rounded = (value) => Math.round(value * 10) / 10;
  return {
    tables_ms: rounded(tables),
    first_ms: rounded(times[0]),
    median_ms: rounded(sorted[Math.floor(sorted.length / 2)]),
    worst_ms: rounded(sorted.at(-1)),
    ciphertexts: plaintexts.reduce((sum, bits) => sum + bits.length, 0),
  };
}
