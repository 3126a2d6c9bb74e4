import { expect, it } from "vitest";
import { limitsSource } from "../../scripts/limitsSource.mjs";
import document from "../../openapi.json?raw";
import source from "./limits.ts?raw";

it("is what the OpenAPI document says: run 'npm run generate'", () => {
  expect(source).toBe(limitsSource(document));
});
