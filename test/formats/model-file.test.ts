import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { FeaturemapError } from "../../src/base/errors.ts";
import { LIBRARY } from "../../src/formats/library.ts";
import { type ModelFile, packModel, unpackModel, unpackWeights } from "../../src/formats/model-file.ts";
import { parseSafetensors, type SafeTensor, toSafetensors } from "../../src/formats/safetensors.ts";
import { weightsFor } from "../../src/formats/saving.ts";
import { dense, loadModel, sequential, setHyperparameters, toConfig } from "../../src/index.ts";
import { Model } from "../../src/model/model.ts";
import { failure } from "../support/building.ts";
import { SEEDED } from "../support/hostile.ts";

const file: ModelFile = {
  config: toConfig(sequential([dense({ units: 3, inputShape: [4] })])),
  compile: { loss: "categoricalCrossentropy", optimizer: { name: "sgd", config: { learningRate: 0.1 } }, metrics: [] },
  byteScales: { input: 1 / 255 },
  tensors: new Map<string, SafeTensor>([
    ["dense/kernel", { dtype: "F32", shape: [4, 3], data: Float32Array.from({ length: 12 }, (_, i) => i / 7) }],
    ["dense/bias", { dtype: "F32", shape: [3], data: Float32Array.of(-1, 0, 1e-9) }],
  ]),
};
const bytes = packModel(file);

describe("a model's file", () => {
  it("holds all that it was given, and its weights are plain safetensors", () => {
    expect(unpackModel(bytes, "test")).toEqual(file);
    expect(unpackWeights(bytes.buffer, "test")).toEqual(file.tensors);
    const { tensors, metadata } = parseSafetensors(bytes);
    expect(tensors).toEqual(file.tensors);
    expect(metadata.get("format")).toBe("featuremap");
    expect(JSON.parse(metadata.get("featuremap.config")!)).toEqual(file.config);
  });

  it("holds losses, weights and metrics by output", () => {
    const compile = {
      loss: { digit: "categoricalCrossentropy", parity: "own" },
      lossWeights: { digit: 1, parity: 0.5 },
      optimizer: { name: "mine" },
      metrics: { digit: [{ name: "accuracy", config: {} }, { name: "own" }], parity: [] },
    };
    const several = { ...file, compile, byteScales: { image: 1 / 255, mask: 1 } };
    expect(unpackModel(packModel(several), "test")).toEqual(several);
  });

  it("may have its tensors in another order, as other writers put them", () => {
    const { tensors, metadata } = parseSafetensors(bytes);
    const turned = [...tensors].reverse();
    expect(unpackModel(toSafetensors(turned, [...metadata].reverse()), "test")).toEqual(file);
  });

  /** Both ways of reading refuse it, or read what it was: JSON has bytes that mean nothing. */
  function tried(damaged: Uint8Array<ArrayBuffer>, which: string): string | undefined {
    let message: string | undefined;
    for (const [read, wanted] of [
      [() => unpackModel(damaged, "test"), file],
      [() => unpackWeights(damaged, "test"), file.tensors],
    ] as const) {
      try {
        expect(read(), which).toEqual(wanted);
        expect(message, which).toBeUndefined();
      } catch (error) {
        if (!(error instanceof FeaturemapError)) throw error;
        expect(error.code, which).toBe("data");
        message = error.message;
      }
    }
    return message;
  }

  it("is refused whole where a single bit of it is another, be it in what marks the file as ours", () => {
    const loud: string[] = [];
    for (let at = 0; at < bytes.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const damaged = bytes.slice();
        damaged[at]! ^= 1 << bit;
        const message = tried(damaged, `byte ${at}, bit ${bit}`);
        if (message) loud.push(message);
      }
    }
    expect(loud.length).toBeGreaterThan(8 * bytes.length - 80);
    expect(loud.some((message) => /checksum/.test(message))).toBe(true);
  });

  it("is refused where two signs are flipped, or two numbers are exchanged", () => {
    const first = bytes.length - 4 * 15;
    const flipped = bytes.slice();
    for (const value of [2, 5]) flipped[first + 4 * value + 3]! ^= 0x80;
    expect(tried(flipped, "signs")).toMatch(/checksum/);
    const exchanged = bytes.slice();
    exchanged.set(bytes.subarray(first + 4, first + 8), first + 8);
    exchanged.set(bytes.subarray(first + 8, first + 12), first + 4);
    expect(tried(exchanged, "exchanged")).toMatch(/checksum/);
  });

  it("is refused where a run of bytes is overwritten", () => {
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.uint8Array({ minLength: 1, maxLength: 64 }), (at, run) => {
        const damaged = bytes.slice();
        damaged.set(run.subarray(0, bytes.length - at), at);
        const same = damaged.every((byte, i) => byte === bytes[i]);
        if (!same) tried(damaged, `at ${at}`);
      }),
      SEEDED,
    );
  });

  it("is refused where it is cut short, at whatever byte, or goes on", () => {
    for (let length = 0; length < bytes.length; length++) {
      expect(failure(() => unpackModel(bytes.subarray(0, length), "test")).code, `${length} bytes`).toBe("data");
    }
    expect(failure(() => unpackModel(new Uint8Array([...bytes, 0]), "test")).message).toMatch(/left over/);
  });

  it("is told from other files", () => {
    const text = new TextEncoder().encode("<!doctype html><title>404</title>");
    expect(failure(() => unpackModel(text, "loadModel")).message).toBe(
      "loadModel: not a safetensors file, but an HTML or XML page. Servers often answer so where the file is missing.",
    );
    for (const [given, remedy] of [
      [new Response(""), "got a Response. Give await response.arrayBuffer()."],
      [new Blob([]), "got a Blob. Give await blob.arrayBuffer()."],
      ["a.safetensors", 'got "a.safetensors". Give await (await fetch(url)).arrayBuffer().'],
    ] as const)
      expect(failure(() => unpackModel(given as never, "loadModel")).message).toBe(
        `loadModel: bytes must be a Uint8Array or an ArrayBuffer, ${remedy}`,
      );
    const foreign = toSafetensors(file.tensors, { format: "pt" });
    expect(failure(() => unpackModel(foreign, "loadModel")).message).toMatch(
      /holds no model, since saveModel\(\) did not write it\. loadWeights/,
    );
    expect(unpackWeights(foreign, "loadWeights")).toEqual(file.tensors);
    expect(failure(() => unpackModel("model" as never, "loadModel")).message).toMatch(
      /bytes must be a Uint8Array or an ArrayBuffer, got "model"/,
    );
    const odd = packModel({ ...file, config: 3 });
    expect(failure(() => unpackModel(odd, "loadModel")).message).toMatch(/\.config" must be a JSON object, got "3/);
    for (const [compile, message] of [
      [{ metrics: 5 }, /loadModel: compile\.metrics must be an array, got 5/],
      [{ metrics: ["accuracy"] }, /loadModel: compile\.metrics\[0\] must be an object, got "accuracy"/],
      [{ metrics: [{}] }, /loadModel: compile\.metrics\[0\]\.name must be a string/],
      [{ metrics: [{ name: "a", config: 3 }] }, /loadModel: compile\.metrics\[0\]\.config must be an object, got 3/],
      [{ loss: 3 }, /loadModel: compile\.loss must be a string, got 3/],
      [{ optimizer: "sgd" }, /loadModel: compile\.optimizer must be an object/],
      [{ optimizer: { name: "sgd", config: 3 } }, /loadModel: compile\.optimizer\.config must be an object, got 3/],
      [{ loss: { a: 3 } }, /loadModel: compile\.loss\.a must be a string, got 3/],
      [{ metrics: { a: "accuracy" } }, /loadModel: compile\.metrics\.a must be an array, got "accuracy"/],
      [{ lossWeights: { a: "1" } }, /loadModel: compile\.lossWeights\.a must be a finite number/],
      [{ lossWeights: 2 }, /loadModel: compile\.lossWeights must be/],
      [{ byteScales: { input: "1" } }, /loadModel: compile\.byteScales\.input must be a finite number/],
      [{ byteScales: { input: 1e39 } }, /loadModel: compile\.byteScales\.input must be a finite number/],
    ] as const) {
      const { byteScales = {}, ...others } = compile as { byteScales?: never };
      const error = failure(() => unpackModel(packModel({ ...file, compile: others, byteScales }), "loadModel"));
      expect(error.message).toMatch(message);
      expect(error.code).toBe("data");
    }
    const theirs = toSafetensors(file.tensors, { checksum: "1", config: "{}", compile: "no" });
    expect(unpackWeights(theirs, "loadWeights")).toEqual(file.tensors);
  });

  it("is refused where its weights were changed and its metadata was not", () => {
    const { tensors, metadata } = parseSafetensors(bytes);
    tensors.get("dense/bias")!.data[0] = 5;
    const changed = toSafetensors(tensors, metadata);
    expect(failure(() => unpackWeights(changed, "test")).message).toMatch(
      /damaged, or was changed.*without this metadata/,
    );
    expect(unpackWeights(toSafetensors(tensors), "test")).toEqual(tensors);
  });
});

describe("loadModel's options", () => {
  class Hidden {}

  it.each([
    null,
    [],
    new Map(),
    Promise.resolve({}),
    new Date(0),
    new Hidden(),
    { layers: new Map() },
    { layers: [() => {}] },
    { layers: null },
    { layers: 0 },
    { seeds: 3 },
  ])("are an object of known ones: %o", async (options) => {
    const error = await loadModel(bytes, options as never).catch((error: unknown) => error);
    expect(error).toMatchObject({ name: "FeaturemapError", code: "value" });
    expect((error as Error).message).toMatch(
      /^loadModel (must be given an object of options, got|has no option "seeds")|^fromConfig: layers must be an object/,
    );
  });

  it("that are undefined leave what the file says", async () => {
    const compile = vi.spyOn(Model.prototype, "compile").mockRejectedValue(new Error("enough"));
    const undefineds = { loss: undefined, optimizer: undefined, metrics: undefined, seed: undefined } as never;
    await expect(loadModel(bytes, undefineds)).rejects.toThrow("enough");
    const [given] = compile.mock.calls[0]!;
    compile.mockRestore();
    expect(given).toMatchObject({ loss: "categoricalCrossentropy", optimizer: { name: "sgd" }, metrics: [] });
    expect(Object.keys(given!)).not.toContain("seed");
  });
});

describe("parts in a file", () => {
  const withOptimizer = (config: Record<string, unknown>) => ({ ...file.compile, optimizer: { name: "sgd", config } });
  const bring = "is not the library's. Bring it: loadModel(bytes, ";

  it.each<[string, ModelFile["compile"], string, string]>([
    [
      "a metric",
      { ...file.compile, metrics: [{ name: "mine" }] },
      "value",
      `metrics "mine" ${bring}{ metrics: ... }).`,
    ],
    [
      "a metric of the library's name and no options",
      { ...file.compile, metrics: { dense: [{ name: "accuracy" }] } },
      ...(["value", `metrics "accuracy" ${bring}{ metrics: ... }).`] as const),
    ],
    [
      "a transform",
      withOptimizer({ transforms: [{ name: "mine", config: {} }] }),
      ...(["value", `gradient transform "mine" ${bring}{ optimizer: ... }).`] as const),
    ],
    [
      "transforms that are none",
      withOptimizer({ transforms: [{}] }),
      ...(["data", "compile.optimizer.config.transforms[0].name must be a string, got undefined."] as const),
    ],
  ])("are named where they are not the library's: %s", async (_, compile, code, end) => {
    const error = await loadModel(packModel({ ...file, compile })).catch((error: unknown) => error);
    expect(error).toMatchObject({ code, message: `loadModel: ${code === "data" ? "" : "the file's "}${end}` });
  });
});

describe("setHyperparameters", () => {
  class Hidden {}
  const values = [null, 5, [], new Map([["learningRate", 1]]), Promise.resolve({}), new Hidden()];

  it.each(values)("takes an object of numbers, and no %o", async (given) => {
    const model = sequential([dense({ units: 3, inputShape: [4] })]);
    const error = await setHyperparameters(model, given as never).catch((error: unknown) => error);
    expect(error).toMatchObject({ name: "FeaturemapError", code: "value" });
    expect((error as Error).message).toMatch(
      /^setHyperparameters(: values must be an object| must be given an object)/,
    );
  });
});

describe("weights of a file", () => {
  const network = {
    variables: [
      { path: "dense/kernel", shape: [4, 3] },
      { path: "dense/bias", shape: [3] },
    ],
  };
  const [kernel, bias] = [file.tensors.get("dense/kernel"), file.tensors.get("dense/bias")];
  const others = (tensors: Record<string, SafeTensor>) => new Map(Object.entries(tensors));

  it("come in the model's order, by name", () => {
    expect(weightsFor(network, others({ "dense/bias": bias!, "dense/kernel": kernel! }), "test")).toEqual([
      kernel!.data,
      bias!.data,
    ]);
  });

  it.each([
    ["one too few", { "dense/kernel": kernel! }, /no weights "dense\/bias"\. It has: \["dense\/kernel"\]\./],
    ["none", {}, /no weights "dense\/kernel"\. It has: no weights/],
    [
      "one too many",
      { ...Object.fromEntries(file.tensors), more: bias! },
      /has weights "more", which the model has not/,
    ],
    [
      "another shape",
      { "dense/bias": bias!, "dense/kernel": { ...kernel!, shape: [3, 4] } },
      /"dense\/kernel" has shape \[4, 3\] in the model, but \[3, 4\] in the file/,
    ],
  ])("are refused where there is %s", (_, tensors, message) => {
    const error = failure(() => weightsFor(network, others(tensors), "test"));
    expect(error.message).toMatch(message);
    expect(error.code).toBe("shape");
  });
});

describe("weights of other types", () => {
  const network = { variables: [{ path: "w", shape: [2] }] };
  const weights = (data: SafeTensor["data"]) =>
    weightsFor(network, parseSafetensors(toSafetensors({ w: { shape: [2], data } })).tensors, "test")[0];

  it("become the nearest 32-bit floats", () => {
    expect(weights(Float64Array.of(0.1, -1e-50))).toEqual(Float32Array.of(0.1, -0));
    expect(weights(Int8Array.of(-3, 4))).toEqual(Float32Array.of(-3, 4));
    expect(weights(BigInt64Array.of(-5n, 2n ** 24n + 1n))).toEqual(Float32Array.of(-5, 2 ** 24));
  });

  it.each([
    ["NaN", Float32Array.of(1, Number.NaN), /"w" must hold finite numbers, as 32-bit floats, got NaN at place 1/],
    ["infinite", Float32Array.of(Number.NEGATIVE_INFINITY, 0), /got -Infinity at place 0/],
    ["too large for 32 bits", Float64Array.of(1e39, 0), /got 1e\+39 at place 0/],
  ])("are refused where one is %s", (_, data, message) => {
    const error = failure(() => weights(data));
    expect(error.message).toMatch(message);
    expect(error.code).toBe("value");
  });
});

describe("the library's optimizers", () => {
  const odd: Record<string, Record<string, unknown>> = {
    adadelta: { learningRate: 0.2, weightDecay: 0.1, rho: 0.8, epsilon: 1e-5 },
    adagrad: { learningRate: 0.2, weightDecay: 0.1, initialAccumulatorValue: 0.3, epsilon: 1e-5 },
    adam: { learningRate: 0.2, weightDecay: 0.1, beta1: 0.8, beta2: 0.9, epsilon: 1e-5, amsgrad: true },
    adamW: { learningRate: 0.2, weightDecay: 0.1, beta1: 0.8, beta2: 0.9, epsilon: 1e-5, amsgrad: true },
    adamax: { learningRate: 0.2, weightDecay: 0.1, beta1: 0.8, beta2: 0.9, epsilon: 1e-5 },
    lion: { learningRate: 0.2, weightDecay: 0.1, beta1: 0.8, beta2: 0.9 },
    nadam: { learningRate: 0.2, weightDecay: 0.1, beta1: 0.8, beta2: 0.9, epsilon: 1e-5 },
    rmsprop: { learningRate: 0.2, weightDecay: 0.1, rho: 0.8, momentum: 0.5, epsilon: 1e-5, centered: true },
    sgd: { learningRate: 0.2, weightDecay: 0.1, momentum: 0.9, nesterov: true },
  };

  /** What a step of an optimizer would add to a graph. */
  function stepOf(name: string, options: object) {
    const optimizer = LIBRARY.optimizers[name]!(options);
    const added: unknown[] = [];
    const slots = optimizer.slots?.([3]) ?? [];
    optimizer.step({
      path: "p",
      parameter: 1,
      gradient: 2,
      state: 0,
      slots: Object.fromEntries(slots.map(({ name }, i) => [name, 10 + i])),
      shared: {},
      hyperparameter: () => 3,
      shapeOf: () => [3],
      add: ((op: { name: string }, ...call: unknown[]) => {
        added.push([op.name, ...call]);
        return {};
      }) as never,
    });
    return { name: optimizer.name, config: optimizer.config, slots, added, ...optimizer.hyperparameters };
  }

  it("are all tried here", () => expect(Object.keys(LIBRARY.optimizers)).toEqual(Object.keys(odd)));

  it.each(Object.keys(odd))("know their options: %s", (name) => {
    expect(stepOf(name, odd[name]!)).toMatchObject({ name, config: odd[name] });
    expect(Object.keys(stepOf(name, odd[name]!).config!)).toEqual(Object.keys(odd[name]!));
    const plain = stepOf(name, {});
    expect(stepOf(name, plain.config!)).toEqual(plain);
    expect(stepOf(name, odd[name]!)).not.toEqual(plain);
  });
});
