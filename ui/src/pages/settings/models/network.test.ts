import { expect, it } from "vitest";
import type { ModelOptions } from "../../../api/types";
import { en } from "../../../text/en";
import { architectureIn, defaultsOf, networkFaults, networkOf } from "./network";

const options: ModelOptions = {
  detectors: [
    { name: "ResNet50V2", least_side: 32, network: { resolution: 224, temperature: 1 } },
    { name: "Xception", least_side: 71, network: { resolution: 224, temperature: 1 } },
  ],
  generators: [
    { name: "DCGAN", least_side: 128, network: { width: 128 } },
    { name: "StyleGAN2", least_side: 32, network: { resolution: 128, latent_size: 512, mapping_learning_rate: 0.01 } },
  ],
  most_bytes: 2e9,
  reason: null,
};
const [, xception] = options.detectors;
const [dcgan, stylegan2] = options.generators;

it("finds the architecture in a file's name", () => {
  expect(architectureIn("my-resnet50v2-best.weights.h5", options)).toEqual({ type: "detector", name: "ResNet50V2" });
  expect(architectureIn("style_gan_2.npz", options)).toEqual({ type: "generator", name: "StyleGAN2" });
  expect(architectureIn("weights.npz", options)).toBeUndefined();
});

it("begins with what trainings build, and sends what stands there", () => {
  expect(defaultsOf(dcgan)).toEqual({ width: "128" });
  expect(networkOf(dcgan, { width: " 32 ", resolution: "64" })).toEqual({ width: 32 });
  expect(networkOf(dcgan, { width: "" })).toEqual({});
});

it("says what a field takes", () => {
  expect(networkFaults(xception, { resolution: "64" }, en)).toEqual({ resolution: "A number from 71 to 1,024" });
  expect(networkFaults(xception, { resolution: "80.5", temperature: "1.3" }, en)).toEqual({
    resolution: "A whole number",
  });
  expect(networkFaults(stylegan2, { latent_size: "15", mapping_learning_rate: "0" }, en)).toEqual({
    latent_size: "An even number",
    mapping_learning_rate: "A number from 0 to 1",
  });
  expect(networkFaults(dcgan, { width: "wide" }, en)).toEqual({ width: "A number from 4 to 512" });
  expect(networkFaults(dcgan, { width: "" }, en)).toEqual({});
});
