/**
 * The records of a published archive as a stream: the tar layer (protocol.md "The archive").
 */
import { fromUtf8, parseStrict, requireFields, sha256Hex } from "./encoding.js";
import { require } from "./errors.js";

const BLOCK = 512;
/** No record of an election is larger; a wrong size field must not exhaust the memory. */
const LARGEST_RECORD = 64 * 1024 * 1024;

const HEADER = [
  ["version", "integer"],
  ["timestamp", "string"],
];

function ascii(bytes) {
  return String.fromCharCode(...bytes);
}

/** The one header that a record may have: a tar header of version 7. */
function tarHeader(name, size, timestamp) {
  const octal = (value, width) => value.toString(8).padStart(width, "0");
  const start = `${name.padEnd(100, "\0")}0000644\x000000000\x000000000\0`;
  const sizes = `${octal(size, 11)}\0${octal(timestamp, 11)}\0`;
  const whole = (checksum) => `${start}${sizes}${checksum}0`.padEnd(BLOCK, "\0");
  const sum = [...whole("        ")].reduce((total, letter) => total + letter.charCodeAt(0), 0);
  return whole(`${octal(sum, 6)}\0 `);
}

/** Bytes that arrive in pieces, taken in the sizes that are wanted. */
class ByteQueue {
  #chunks = [];
  #length = 0;
  #source;

  constructor(source) {
    this.#source = source[Symbol.asyncIterator]();
  }

  async #fill(length) {
    while (this.#length < length) {
      const { value, done } = await this.#source.next();
      if (done) return false;
      this.#chunks.push(value);
      this.#length += value.length;
    }
    return true;
  }

  /** `null` at a clean end, otherwise exactly `length` bytes. @throws `archive` when cut short */
  async take(length) {
    if (length > 0 && !(await this.#fill(1))) return null;
    require(await this.#fill(length), "archive", "The archive is cut short.");
    const bytes = new Uint8Array(length);
    let position = 0;
    while (position < length) {
      const chunk = this.#chunks[0];
      const part = chunk.subarray(0, length - position);
      bytes.set(part, position);
      position += part.length;
      if (part.length === chunk.length) this.#chunks.shift();
      else this.#chunks[0] = chunk.subarray(part.length);
    }
    this.#length -= length;
    return bytes;
  }
}

/**
 * The records of an archive in order: `{name, text}`. Headers, padding and the names (SHA-256 of
 * the content) are checked on the way.
 * @param {AsyncIterable<Uint8Array>} source
 * @throws {ProtocolError} `archive`
 */
export async function* readRecords(source) {
  const queue = new ByteQueue(source);
  let timestamp = null;
  for (;;) {
    const block = await queue.take(BLOCK);
    if (block === null) break;
    const header = ascii(block);
    const name = header.slice(0, 100).replace(/\0+$/, "");
    const size = /^[0-7]{11}$/.test(header.slice(124, 135)) ? parseInt(header.slice(124, 135), 8) : -1;
    const time = /^[0-7]{11}$/.test(header.slice(136, 147)) ? parseInt(header.slice(136, 147), 8) : -1;
    require(
      size >= 0 && size <= LARGEST_RECORD && time >= 0 && header === tarHeader(name, size, time),
      "archive",
      "A header in the archive is not of the one form that is allowed.",
    );
    const padding = (BLOCK - (size % BLOCK)) % BLOCK;
    const content = await queue.take(size + padding);
    require(content !== null, "archive", "The archive is cut short.");
    require(content.subarray(size).every((byte) => byte === 0), "archive", "Padding is not empty.");
    const bytes = content.subarray(0, size);
    const text = fromUtf8(bytes);
    if (timestamp === null) {
      require(name === "BELENIOS", "archive", "The archive does not begin with its header.");
      const value = parseStrict(text);
      requireFields(value, HEADER, "The header of the archive");
      require(value.version === 1, "archive", "The archive is not of version 1.");
      require(value.timestamp === String(time), "archive", "The time of the archive differs.");
      timestamp = time;
    } else {
      const [hash, kind, extension, ...rest] = name.split(".");
      require(
        ["data", "event"].includes(kind) && extension === "json" && rest.length === 0,
        "archive",
        "A record has a name that is not allowed.",
      );
      require(hash === sha256Hex(bytes), "archive", "The name of a record is not its hash.");
      require(time === timestamp, "archive", "The time of a record differs.");
      yield { hash, kind, text };
    }
  }
  require(timestamp !== null, "archive", "The archive is empty.");
}
