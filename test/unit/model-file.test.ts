import { describe, expect, it } from "vitest";
import { parseSafetensors, toSafetensors } from "../../src/data/safetensors.ts";
import { FeaturemapError } from "../../src/errors.ts";
import { dense, sequential, toConfig } from "../../src/index.ts";
import { type ModelFile, packModel, unpackModel, unpackWeights } from "../../src/model/model-file.ts";
import { OPTIMIZERS, weightsFor } from "../../src/model/saving.ts";
import { failure } from "./building.ts";

const file: ModelFile = {
  config: toConfig(sequential([dense({ units: 3, inputShape: [4] })])),
  compile: { loss: "categoricalCrossentropy", optimizer: { name: "sgd", config: { learningRate: 0.1 } }, metrics: [] },
  byteScale: 1 / 255,
  tensors: {
    "dense/kernel": { shape: [4, 3], data: Float32Array.from({ length: 12 }, (_, i) => i / 7) },
    "dense/bias": { shape: [3], data: Float32Array.of(-1, 0, 1e-9) },
  },
};
const bytes = packModel(file);

describe("a model's file", () => {
  it("holds all that it was given, and its weights are plain safetensors", () => {
    expect(unpackModel(bytes, "test")).toEqual(file);
    expect(unpackWeights(bytes.buffer, "test")).toEqual(file.tensors);
    const { tensors, metadata } = parseSafetensors(bytes);
    expect(tensors).toEqual(file.tensors);
    expect(metadata.format).toBe("featuremap");
    expect(JSON.parse(metadata.config!)).toEqual(file.config);
  });

  it("may have its tensors in another order, as other writers put them", () => {
    const { tensors, metadata } = parseSafetensors(bytes);
    const turned = Object.fromEntries(Object.entries(tensors).reverse());
    expect(unpackModel(toSafetensors(turned, metadata), "test")).toEqual(file);
  });

  it("is refused whole where a single byte of it is another", () => {
    const loud: string[] = [];
    for (let at = 0; at < bytes.length; at++) {
      for (const bit of [1, 0x20]) {
        const damaged = bytes.slice();
        damaged[at]! ^= bit;
        try {
          const read = unpackModel(damaged, "test");
          // JSON has bytes that mean nothing: then all must be as it was.
          expect(read).toEqual(file);
        } catch (error) {
          expect(error, `byte ${at}`).toBeInstanceOf(FeaturemapError);
          expect((error as FeaturemapError).code, `byte ${at}`).toBe("data");
          loud.push((error as FeaturemapError).message);
        }
      }
    }
    expect(loud.length).toBeGreaterThan(2 * bytes.length - 20);
    expect(loud.some((message) => /checksum/.test(message))).toBe(true);
  });

  it("is refused where it is cut short, at whatever byte, or goes on", () => {
    for (let length = 0; length < bytes.length; length++) {
      expect(failure(() => unpackModel(bytes.subarray(0, length), "test")).code, `${length} bytes`).toBe("data");
    }
    expect(failure(() => unpackModel(new Uint8Array([...bytes, 0]), "test")).message).toMatch(/left over/);
  });

  it("is told from other files", () => {
    const text = new TextEncoder().encode("<!doctype html><title>404</title>");
    expect(failure(() => unpackModel(text, "loadModel")).message).toMatch(/loadModel: not a safetensors file/);
    const foreign = toSafetensors(file.tensors, { format: "pt" });
    expect(failure(() => unpackModel(foreign, "loadModel")).message).toMatch(
      /holds no model, since saveModel\(\) did not write it\. loadWeights/,
    );
    expect(unpackWeights(foreign, "loadWeights")).toEqual(file.tensors);
    expect(failure(() => unpackModel("model" as never, "loadModel")).message).toMatch(
      /bytes must be a Uint8Array or an ArrayBuffer, got "model"/,
    );
    const odd = packModel({ ...file, config: 3 });
    expect(failure(() => unpackModel(odd, "loadModel")).message).toMatch(/"config" must be a JSON object, got "3"/);
  });

  it("is refused where its weights were changed and its metadata was not", () => {
    const { tensors, metadata } = parseSafetensors(bytes);
    tensors["dense/bias"]!.data[0] = 5;
    const changed = toSafetensors(tensors, metadata);
    expect(failure(() => unpackWeights(changed, "test")).message).toMatch(
      /damaged, or was changed.*without this metadata/,
    );
    expect(unpackWeights(toSafetensors(tensors), "test")).toEqual(tensors);
  });
});

describe("weights of a file", () => {
  const network = {
    parameters: [
      { path: "dense/kernel", shape: [4, 3] },
      { path: "dense/bias", shape: [3] },
    ],
  };
  const { "dense/kernel": kernel, "dense/bias": bias } = file.tensors as Record<
    string,
    { shape: number[]; data: Float32Array }
  >;

  it("come in the model's order, by name", () => {
    expect(weightsFor(network, { "dense/bias": bias!, "dense/kernel": kernel! }, "test")).toEqual([
      kernel!.data,
      bias!.data,
    ]);
  });

  it.each([
    ["one too few", { "dense/kernel": kernel! }, /no weights "dense\/bias"\. It has: dense\/kernel\./],
    ["none", {}, /no weights "dense\/kernel"\. It has: no weights/],
    ["one too many", { ...file.tensors, more: bias! }, /has weights "more", which the model has not/],
    [
      "another shape",
      { "dense/bias": bias!, "dense/kernel": { ...kernel!, shape: [3, 4] } },
      /"dense\/kernel" has shape \[4, 3\] in the model, but \[3, 4\] in the file/,
    ],
  ])("are refused where there is %s", (_, tensors, message) => {
    const error = failure(() => weightsFor(network, tensors, "test"));
    expect(error.message).toMatch(message);
    expect(error.code).toBe("shape");
  });
});

describe("the library's optimizers", () => {
  const odd: Record<string, Record<string, unknown>> = {
    adagrad: { learningRate: 0.2, initialAccumulatorValue: 0.3, epsilon: 1e-5 },
    adam: { learningRate: 0.2, beta1: 0.8, beta2: 0.9, epsilon: 1e-5, amsgrad: true },
    adamW: { learningRate: 0.2, beta1: 0.8, beta2: 0.9, epsilon: 1e-5, amsgrad: true, weightDecay: 0.1 },
    rmsprop: { learningRate: 0.2, rho: 0.8, momentum: 0.5, epsilon: 1e-5, centered: true },
    sgd: { learningRate: 0.2, momentum: 0.9, nesterov: true },
  };

  /** What a step of an optimizer would add to a graph. */
  function stepOf(name: string, options: object) {
    const optimizer = OPTIMIZERS[name]!(options);
    const added: unknown[] = [];
    const slots = optimizer.slots?.([3]) ?? [];
    optimizer.step({
      parameter: 1,
      gradient: 2,
      state: 0,
      slots: slots.map((_, i) => 10 + i),
      hyperparameter: () => 3,
      add: (...call) => {
        added.push(call);
        return [];
      },
    });
    return { name: optimizer.name, config: optimizer.config, slots, added, ...optimizer.hyperparameters };
  }

  it("are all tried here", () => expect(Object.keys(OPTIMIZERS)).toEqual(Object.keys(odd)));

  it.each(Object.keys(odd))("know their options: %s", (name) => {
    expect(stepOf(name, odd[name]!)).toMatchObject({ name, config: odd[name] });
    expect(Object.keys(stepOf(name, odd[name]!).config!)).toEqual(Object.keys(odd[name]!));
    const plain = stepOf(name, {});
    expect(stepOf(name, plain.config!)).toEqual(plain);
    expect(stepOf(name, odd[name]!)).not.toEqual(plain);
  });
});
