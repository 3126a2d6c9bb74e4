// Writes the limits of what forms send, as openapi.json states them, for the forms to check by: src/api/limits.ts.
import { readFileSync, writeFileSync } from "node:fs";
import { URL } from "node:url";
import { limitsSource } from "./limitsSource.mjs";

const document = readFileSync(new URL("../openapi.json", import.meta.url), "utf8");
writeFileSync(new URL("../src/api/limits.ts", import.meta.url), limitsSource(document));
