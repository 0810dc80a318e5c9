// Bundles the modules of this folder, packs them, and writes down which file each became.
// `node build.mjs FOLDER`: the folder is emptied first. The same lock makes the same files.

import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build } from "esbuild";

const MODULES = [
  "charts.js",
  "confirm.js",
  "door.js",
  "find_code.js",
  "kiosk.js",
  "own_code.js",
  "partner.js",
  "picture.js",
  "scanner.js",
];

const folder = process.argv[2];
await rm(folder, { recursive: true, force: true });
await mkdir(folder, { recursive: true });

const { metafile } = await build({
  entryPoints: MODULES,
  outdir: folder,
  bundle: true,
  splitting: true,
  format: "esm",
  target: "es2020",
  minify: true,
  legalComments: "none",
  metafile: true,
  entryNames: "[name].[hash]",
  chunkNames: "part.[hash]",
  assetNames: "[name].[hash]",
  loader: { ".wasm": "file" },
  logLevel: "warning",
});

// The plain name of each module, and the name under which it is kept for ever.
const names = {};
const packages = new Set();
for (const [path, output] of Object.entries(metafile.outputs)) {
  if (MODULES.includes(output.entryPoint)) names[output.entryPoint] = basename(path);
  for (const input of Object.keys(output.inputs)) {
    const found = input.match(/node_modules\/((?:@[^/]+\/)?[^/]+)\//);
    if (found) packages.add(found[1]);
  }
  if (output.cssBundle) {
    names[output.entryPoint.replace(/\.js$/, ".css")] = basename(output.cssBundle);
  }
}

// Whose work is in the bundle, and on what terms.
const terms = [];
for (const name of [...packages].sort()) {
  const root = join("node_modules", name);
  const { version, license } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  const files = (await readdir(root)).filter((each) => /^(licen[cs]e|notice)/i.test(each)).sort();
  const texts = await Promise.all(files.map((each) => readFile(join(root, each), "utf8")));
  terms.push(`${name} ${version} (${license})\n\n${texts.join("\n\n").trim()}\n`);
}
await writeFile(join(folder, "LICENSES.txt"), terms.join(`\n${"-".repeat(72)}\n\n`));

for (const name of await readdir(folder)) {
  if (!/\.(js|css|wasm)$/.test(name)) continue;
  const content = await readFile(join(folder, name));
  await writeFile(join(folder, `${name}.gz`), gzipSync(content, { level: 9 }));
  await writeFile(
    join(folder, `${name}.br`),
    brotliCompressSync(content, {
      params: {
        [constants.BROTLI_PARAM_QUALITY]: 11,
        [constants.BROTLI_PARAM_LGWIN]: 22,
        [constants.BROTLI_PARAM_SIZE_HINT]: content.length,
      },
    }),
  );
}
await writeFile(join(folder, "names.json"), JSON.stringify(names, Object.keys(names).sort(), 1));
