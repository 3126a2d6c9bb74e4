/** The API's words, under the names the pages use. `schema.d.ts` is generated from `openapi.json`. */
import type { components } from "./schema";

type Schemas = components["schemas"];

export type ActivationMap = Schemas["ActivationMap"];
export type Classification = Schemas["Classification"];
export type ClassifyAnswer = Schemas["ClassifyAnswer"];
export type FaceClass = Schemas["FaceClass"];
export type GenerateRequest = Schemas["GenerateRequest"];
export type Image = Schemas["Image"];
export type ImageCounts = Schemas["ImageCounts"];
export type ImagePage = Schemas["ImagePage"];
export type LabelRequest = Schemas["LabelRequest"];
export type Model = Schemas["Model"];
export type ModelAnswer = Schemas["ModelAnswer"];
export type ModelStats = Schemas["ModelStats"];
export type Problem = Schemas["Problem"];
export type Settings = Schemas["Settings"];
export type StatsRequest = Schemas["StatsRequest"];
export type Status = Schemas["Status"];
export type Verdict = Schemas["Verdict"];

/** The order that all of VisionLab keeps. */
export const FACE_CLASSES = ["human", "human_gen", "anime", "anime_gen"] as const satisfies readonly FaceClass[];
