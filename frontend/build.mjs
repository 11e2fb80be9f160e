/**
 * Builds what the pages load into `govern/static/dist/`.
 *
 * The same sources give the same bytes on every machine and in every folder: nothing of the
 * machine (path, time, version of Node) enters a bundle, and `tests/build.test.mjs` builds twice
 * in two places to show it. The audit page prints the hashes of `manifest.json`.
 *
 * Usage: node build.mjs [--out FOLDER]
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import * as esbuild from "esbuild";

const HERE = dirname(fileURLToPath(import.meta.url));
const DEFAULT_OUT = join(HERE, "..", "govern", "static", "dist");
const STYLES = "styles/main.css";

const COMMON = {
  absWorkingDir: HERE,
  bundle: true,
  charset: "utf8",
  format: "esm",
  legalComments: "none", // the licences stand in licences.txt
  logLevel: "warning",
  metafile: true,
  minify: true,
  platform: "browser",
  preserveSymlinks: true,
  sourcemap: false,
  target: ["chrome111", "firefox114", "safari16.4"],
  write: false,
};

const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

/** Bundle one entry. @returns {Promise<{bytes: Uint8Array, inputs: string[]}>} */
async function bundle(options) {
  const result = await esbuild.build({ ...COMMON, ...options });
  if (result.outputFiles.length !== 1) {
    throw new Error(`expected one file, got ${result.outputFiles.map((file) => file.path)}`);
  }
  return { bytes: result.outputFiles[0].contents, inputs: Object.keys(result.metafile.inputs) };
}

/**
 * The stylesheet and the fonts that it names. Fonts stay files of their own: the
 * Content-Security-Policy refuses fonts in `data:` addresses, and most pages need only one.
 */
async function styles(contents, inputs) {
  const result = await esbuild.build({
    ...COMMON,
    stdin: { contents, loader: "css", resolveDir: HERE, sourcefile: "all.css" },
    loader: { ".woff2": "file", ".svg": "dataurl" },
    assetNames: "[name]-[hash]",
    outdir: HERE,
  });
  Object.keys(result.metafile.inputs).forEach((input) => inputs.add(input));
  return result.outputFiles.map((file) => {
    const name = basename(file.path);
    return [name === "stdin.css" ? "styles.css" : name, file.contents];
  });
}

/** The licence texts of every package that went into a bundle. */
async function licences(inputs) {
  const packages = new Set();
  for (const input of inputs) {
    const match = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input);
    if (match) packages.add(match[1]);
  }
  const parts = [];
  for (const name of [...packages].sort()) {
    const folder = join(HERE, "node_modules", name);
    const about = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
    const file = (await readdir(folder)).filter((entry) => /^licen[cs]e/i.test(entry)).sort()[0];
    const text = file ? (await readFile(join(folder, file), "utf8")).replace(/\r\n/g, "\n").trim() : "";
    parts.push(`${name} ${about.version} (${about.license})\n\n${text}`.trim());
  }
  return Buffer.from(`${parts.join("\n\n----\n\n")}\n`);
}

/** Build everything in memory. @returns {Promise<Map<string, Uint8Array>>} name → bytes */
export async function build() {
  const files = new Map();
  const inputs = new Set();
  const add = async (name, options) => {
    const { bytes, inputs: used } = await bundle(options);
    files.set(name, bytes);
    used.forEach((input) => inputs.add(input));
    return sha256(bytes).slice(0, 16);
  };

  // A page's bundle names its worker by hash, so that the page's hash covers the worker too and
  // no cache can pair a new page with an old worker.
  const seal = await add("seal-worker.js", { entryPoints: ["src/workers/seal-worker.js"] });
  const trustee = await add("trustee-worker.js", {
    entryPoints: ["src/workers/trustee-worker.js"],
  });
  const define = (name) => ({ WORKER_FILE: JSON.stringify(name) });
  await add("booth.js", {
    entryPoints: ["src/booth/main.js"],
    define: define(`seal-worker.js?v=${seal}`),
  });
  await add("trustee.js", {
    entryPoints: ["src/trustee/main.js"],
    define: define(`trustee-worker.js?v=${trustee}`),
  });
  await add("app.js", { entryPoints: ["src/app.js"] });
  const imports = ['@import "@picocss/pico/css/pico.classless.css";'];
  if (existsSync(join(HERE, STYLES))) imports.push(`@import "./${STYLES}";`);
  for (const [name, bytes] of await styles(imports.join("\n"), inputs)) files.set(name, bytes);
  files.set("licences.txt", await licences(inputs));

  const manifest = {};
  for (const name of [...files.keys()].sort()) {
    const bytes = files.get(name);
    manifest[name] = { sha256: sha256(bytes), bytes: bytes.length };
  }
  files.set("manifest.json", Buffer.from(`${JSON.stringify({ files: manifest }, null, 2)}\n`));
  return files;
}

/** Write the files; each appears whole, the manifest last, and left-overs go. */
export async function writeFiles(files, out) {
  await mkdir(out, { recursive: true });
  for (const [name, bytes] of files) {
    const temporary = join(out, `.${name}.${process.pid}`);
    await writeFile(temporary, bytes);
    await rename(temporary, join(out, name));
  }
  for (const entry of await readdir(out)) {
    if (!files.has(entry)) await rm(join(out, entry), { recursive: true, force: true });
  }
}

if (process.argv[1] && basename(process.argv[1]) === "build.mjs") {
  const { values } = parseArgs({ options: { out: { type: "string" } } });
  const files = await build();
  await writeFiles(files, values.out ?? DEFAULT_OUT);
  for (const [name, bytes] of files) console.log(`${String(bytes.length).padStart(8)}  ${name}`);
}
