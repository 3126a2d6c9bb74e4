/** Packs what was built as browsers take it, once and tightly; servers give FILE.br or FILE.gz in place of FILE. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const FOLDER = "dist";
const WORTH_IT = /\.(js|css|svg|html|json)$/;
/** Bytes; less goes in one packet anyway. */
const LEAST = 1024;

for (const name of readdirSync(FOLDER, { recursive: true })) {
  const file = join(FOLDER, name);
  if (!WORTH_IT.test(name)) continue;
  const data = readFileSync(file);
  if (data.length < LEAST) continue;
  const params = { [constants.BROTLI_PARAM_SIZE_HINT]: data.length, [constants.BROTLI_PARAM_QUALITY]: 11 };
  writeFileSync(`${file}.br`, brotliCompressSync(data, { params }));
  writeFileSync(`${file}.gz`, gzipSync(data, { level: 9 }));
}
