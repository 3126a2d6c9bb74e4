import { answer, client } from "./client";
import { ProblemError } from "./problem";
import { visitorKnown } from "./session";
import type { Classification, ClassifyAnswer, Image, LabelRequest } from "./types";

/**
 * Asks detectors about a picture that is on this machine; the server keeps it, so that a label can be given.
 *
 * @param models uuids; none = all enabled detectors
 */
export async function classifyFile(file: File, models: string[]): Promise<Classification> {
  const form = new FormData();
  form.append("images", file, file.name);
  for (const model of models) form.append("models", model);
  form.append("explain", "true");
  form.append("store", "true");
  await visitorKnown();
  const { results } = await inOne(
    client.POST("/backend/image/classify", {
      // The generated type knows files as strings; what is sent is the form.
      body: { images: [file.name] },
      bodySerializer: () => form,
    }),
  );
  return onlyResult(results);
}

/** Has the server fetch a picture from the web; it keeps it as one that was uploaded. */
export async function fetchPicture(url: string): Promise<Image> {
  await visitorKnown();
  return answer(client.POST("/backend/image/fetch", { body: { url, share: false } }));
}

/** Asks other detectors about a picture that the server has. */
export async function classifyStored(image: string, models: string[]): Promise<Classification> {
  const { results } = await inOne(
    client.POST("/backend/image/classify", {
      body: { images: [image], explain: true, ...(models.length > 0 && { models }) },
    }),
  );
  return onlyResult(results);
}

/** Says what a picture really is. */
export function labelImage(request: LabelRequest) {
  return answer(client.POST("/backend/image/label", { body: request }));
}

/** Nothing here asks for lines (NDJSON), the route's other kind of answer. */
function inOne(call: Promise<{ data?: ClassifyAnswer | object; error?: unknown; response: Response }>) {
  return answer(call) as Promise<ClassifyAnswer>;
}

function onlyResult(results: Classification[]): Classification {
  const [result] = results;
  if (!result) throw new ProblemError(null, 502);
  if (result.problem) throw new ProblemError(result.problem, result.problem.status);
  return result;
}
