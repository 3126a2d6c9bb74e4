/** The API's words, under the names the pages use. `schema.d.ts` is generated from `openapi.json`. */
import type { components } from "./schema";

type Schemas = components["schemas"];

export type ActivationMap = Schemas["ActivationMap"];
export type AuditEntry = Schemas["AuditEntry"];
export type Challenge = Schemas["Challenge"];
export type ChallengeSettings = Schemas["ChallengeSettings"];
export type ChallengeSettingsChange = Schemas["ChallengeSettingsChange"];
export type Classification = Schemas["Classification"];
export type ClassifyAnswer = Schemas["ClassifyAnswer"];
export type Comparison = Schemas["Comparison"];
export type Curve = Schemas["Curve"];
export type Dataset = Schemas["Dataset"];
export type DatasetFile = Schemas["DatasetFile"];
export type DatasetRequest = Schemas["DatasetRequest"];
export type DetectorMetrics = Schemas["DetectorMetrics"];
export type FaceClass = Schemas["FaceClass"];
export type Fate = Schemas["Fate"];
export type GenerateAnswer = Schemas["GenerateAnswer"];
export type GenerateRequest = Schemas["GenerateRequest"];
export type GeneratorMetrics = Schemas["GeneratorMetrics"];
export type Image = Schemas["Image"];
export type ImageCounts = Schemas["ImageCounts"];
export type ImagePage = Schemas["ImagePage"];
export type Key = Schemas["Key"];
export type LabelRequest = Schemas["LabelRequest"];
export type MadeKey = Schemas["MadeKey"];
export type MixRequest = Schemas["MixRequest"];
export type Model = Schemas["Model"];
export type ModelAnswer = Schemas["ModelAnswer"];
export type ModelOptions = Schemas["ModelOptions"];
export type ModelRequest = Schemas["ModelRequest"];
export type ModelStats = Schemas["ModelStats"];
export type NeighboursRequest = Schemas["NeighboursRequest"];
export type NewKey = Schemas["NewKey"];
export type Problem = Schemas["Problem"];
export type Scope = Schemas["Scope"];
export type Session = Schemas["Session"];
export type Settings = Schemas["Settings"];
export type StatsRequest = Schemas["StatsRequest"];
export type Status = Schemas["Status"];
export type Training = Schemas["Training"];
export type TrainingDetail = Schemas["TrainingDetail"];
export type TrainingOptions = Schemas["TrainingOptions"];
export type TrainingProgress = Schemas["TrainingProgress"];
export type TrainingRequest = Schemas["TrainingRequest"];
export type UploadedNetwork = Schemas["UploadedNetwork"];
export type Verdict = Schemas["Verdict"];
export type WeightsOption = Schemas["WeightsOption"];

export type ModelType = Model["type"];

/** The order that all of VisionLab keeps. */
export const FACE_CLASSES = ["human", "human_gen", "anime", "anime_gen"] as const satisfies readonly FaceClass[];
