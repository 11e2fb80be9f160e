/** The receipt: what is kept, and the QR code that leads back to the ballot. */
import { ed25519 } from "@noble/curves/ed25519.js";
import { hexToBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import qrcode from "qrcode-generator";

const SVG = "http://www.w3.org/2000/svg";
const QUIET_ZONE = 4;

/**
 * Whether the server's signature on a receipt holds: Ed25519 over
 * `govern-receipt|uuid|tracker|height|event hash|day`, in Base64.
 * @param {string} uuid @param receipt the server's answer @param {string} key 64 hex digits
 */
export function isReceiptSigned(uuid, receipt, key) {
  const { tracker, height, event_hash: event, received_at_day: day, signature } = receipt;
  const message = ["govern-receipt", uuid, tracker, height, event, day].join("|");
  try {
    const bytes = Uint8Array.from(atob(signature), (character) => character.charCodeAt(0));
    return ed25519.verify(bytes, utf8ToBytes(message), hexToBytes(key));
  } catch {
    return false;
  }
}

/** A day (`2018-06-19`) in the words of a language; anything else as it is. */
export function dayInWords(day, language) {
  const date = /^\d{4}-\d{2}-\d{2}$/.test(day) ? new Date(`${day}T00:00:00Z`) : null;
  if (date === null || Number.isNaN(date.getTime())) return day;
  const words = new Intl.DateTimeFormat(language, { dateStyle: "long", timeZone: "UTC" });
  return words.format(date);
}

/**
 * The text of the receipt file. It holds what the server answered and what the election was;
 * nothing in it says how the person voted or who they are.
 */
export function receiptText(election, receipt, boardAddress) {
  return `${JSON.stringify(
    {
      kind: "govern-receipt",
      version: 1,
      election_uuid: election.uuid,
      election_name: election.name,
      fingerprint: election.fingerprint,
      tracker: receipt.tracker,
      height: receipt.height,
      event_hash: receipt.event_hash,
      signature: receipt.signature,
      received_at_day: receipt.received_at_day,
      board: boardAddress,
    },
    null,
    2,
  )}\n`;
}

/** The address of the ballot on the public board. */
export function boardAddress(board, tracker, base) {
  const address = new URL(board, base);
  address.searchParams.set("tracker", tracker);
  return address.href;
}

/** The modules of a QR code as one SVG path, in units of a module. */
export function qrPath(text) {
  const code = qrcode(0, "M");
  code.addData(text, "Byte");
  code.make();
  const size = code.getModuleCount();
  let path = "";
  for (let row = 0; row < size; row += 1) {
    for (let column = 0; column < size; column += 1) {
      if (code.isDark(row, column)) path += `M${column + QUIET_ZONE} ${row + QUIET_ZONE}h1v1h-1z`;
    }
  }
  return { path, size: size + 2 * QUIET_ZONE };
}

/** An SVG element with a text alternative, coloured by attributes only. */
export function qrImage(text, label) {
  const { path, size } = qrPath(text);
  const make = (name, attributes) => {
    const node = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    return node;
  };
  const image = make("svg", {
    viewBox: `0 0 ${size} ${size}`,
    width: "220",
    height: "220",
    role: "img",
    "aria-label": label,
    class: "booth-qr",
    "shape-rendering": "crispEdges",
  });
  // Always dark on light: readers fail on inverted codes.
  image.append(make("rect", { width: size, height: size, fill: "#fff" }));
  image.append(make("path", { d: path, fill: "#000" }));
  return image;
}
