const BODIES = ["TrainingRequest", "DatasetRequest", "ModelRequest", "UploadedNetwork"];
const WORDS = [
  "minimum",
  "maximum",
  "exclusiveMinimum",
  "exclusiveMaximum",
  "minLength",
  "maxLength",
  "minItems",
  "maxItems",
  "pattern",
  "default",
];

/** The text of src/api/limits.ts for an OpenAPI document. */
export function limitsSource(text) {
  const { schemas } = JSON.parse(text).components;
  const limits = Object.fromEntries(
    BODIES.map((name) => [
      name,
      Object.fromEntries(Object.entries(schemas[name].properties).map(([field, schema]) => [field, limitsOf(schema)])),
    ]),
  );
  return [
    "/** What the API takes in each field; made from openapi.json by `npm run generate`. */",
    "// prettier-ignore",
    `export const limits = ${JSON.stringify(limits, null, 2)} as const;`,
    "",
  ].join("\n");
}

function limitsOf(schema) {
  const own = [schema, ...(schema.anyOf ?? [])];
  const found = {};
  for (const word of WORDS) {
    const holder = own.find((each) => each[word] !== undefined && each[word] !== null);
    if (holder && (typeof holder[word] !== "object" || word === "default")) found[word] = holder[word];
  }
  return found;
}
