import { describe, expect, it } from "vitest";
import { type ColumnKind, columnsFor, columnsOf, type HostColumn, hostData } from "../../src/data/columns.ts";
import { identityOf } from "../../src/data/dataset.ts";
import type { ColumnInputs, GpuData, Loss } from "../../src/index.ts";
import {
  conv2d,
  createDataset,
  createRuntime,
  dense,
  input,
  model,
  ops,
  outputsOf,
  sequential,
  sgd,
  sparseCategoricalCrossentropy,
  tensor,
} from "../../src/index.ts";
import { defineLayer } from "../../src/layers/define-layer.ts";
import { byteScalesOf, checkLabels, scalesOf } from "../../src/model/calls.ts";
import { checkCompileOptions } from "../../src/model/compile-options.ts";
import { INTERNALS } from "../../src/model/internals.ts";
import { failure } from "../support/building.ts";
import { fakeDevice } from "../support/fake-device.ts";

/** What a buffer of the app's is to a test without a GPU. */
const gpuBuffer = (size: number, usage = 0x80) =>
  ({ size, usage, [Symbol.toStringTag]: "GPUBuffer" }) as unknown as GPUBuffer;

const bytes = tensor(new Uint8Array(8), [2, 4], { scale: 1 / 255 });
const places = [
  [1, 2],
  [3, 4],
];
const kind = ({ name, shape, dtype }: HostColumn) => [name, shape, dtype];

describe("columns by name", () => {
  it("have types that an app can write down", () => {
    const pixels: GpuData = { buffer: gpuBuffer(32), shape: [2, 4] };
    const columns: ColumnInputs = { image: pixels, place: places };
    expect(hostData({ x: columns }).size).toBe(2);
  });

  it("keep their names, and their order", () => {
    const data = hostData({ x: { image: bytes, place: places }, y: { digit: [0, 2], parity: places } });
    expect(data.size).toBe(2);
    expect(columnsOf(data, "input").map(kind)).toEqual([
      ["image", [4], "u8"],
      ["place", [2], "f32"],
    ]);
    expect(columnsOf(data, "label").map(kind)).toEqual([
      ["digit", [1], "u32"],
      ["parity", [2], "f32"],
    ]);
    expect(columnsOf(data, "label")[0]!.largestClass).toBe(2);
    expect(hostData({ x: { shapes: bytes } }).columns.map(kind)).toEqual([["shapes", [4], "u8"]]);
  });

  it("are named in what is wrong with them", () => {
    expect(failure(() => hostData({ x: { image: bytes, place: [[1, 2], [3]] } })).message).toMatch(
      /^x\.place must be a regular array/,
    );
    expect(failure(() => hostData({ x: bytes, y: { digit: [0, Number.NaN] } })).message).toMatch(
      /^y\.digit: labels must be finite, got NaN in row 1/,
    );
    const short = failure(() => hostData({ x: { image: bytes, place: [[1, 2]] } }));
    expect(short.code).toBe("shape");
    expect(short.message).toBe("x.image has 2 samples, but x.place has 1: shapes [2, 4] and [1, 2].");
    expect(failure(() => hostData({ x: bytes, y: { digit: [0, 1], parity: [1] } })).message).toBe(
      "x has 2 samples, but y.parity has 1: shapes [2, 4] and [1].",
    );
  });

  it("tell data sets apart", () => {
    const of = (x: Parameters<typeof hostData>[0]["x"], y?: never) => identityOf(hostData({ x, y }));
    const all = [of(bytes), of({ image: bytes }), of({ other: bytes }), of({ image: bytes, place: places })];
    expect(new Set(all).size).toBe(all.length);
    expect(of({ image: bytes })).toMatch(/^2 samples image u8 \[4\] \* 0\.0039\d*, checksum /);
  });
});

describe("weights", () => {
  const weights = (sampleWeight: ColumnInputs) => hostData({ x: [[1], [2]], sampleWeight }).columns[1]!;

  it("are a float for each sample, whatever they came as", () => {
    for (const given of [[0, 2.5], [[0], [2.5]], tensor(new Float32Array([0, 2.5]), [2])])
      expect(weights(given)).toMatchObject({ role: "weight", shape: [], dtype: "f32", words: Float32Array.of(0, 2.5) });
    expect(weights(tensor(Uint8Array.of(0, 4), [2, 1], { scale: 0.5 })).words).toEqual(Float32Array.of(0, 2));
    expect(weights({ a: [1, 2] })).toMatchObject({ name: "a" });
    expect(weights({ buffer: gpuBuffer(8), shape: [2, 1] })).toMatchObject({ shape: [], dtype: "f32" });
  });

  it.each([
    [
      "more than one a sample",
      [
        [1, 2],
        [3, 4],
      ],
      /^sampleWeight: weights must be \[samples\].*got \[2, 2\]\./,
    ],
    ["a NaN", [1, Number.NaN], /^sampleWeight: weights must be finite, got NaN in row 1\./],
    ["too few", [1], /^x has 2 samples, but sampleWeight has 1/],
    ["of class numbers in a buffer", { buffer: gpuBuffer(8), shape: [2], dtype: "u32" }, /sampleWeight: dtype must be/],
    [
      "with a scale",
      { buffer: gpuBuffer(8), shape: [2], scale: 2 },
      /sampleWeight: scale must be left out, of weights/,
    ],
  ] as [string, ColumnInputs, RegExp][])("are refused if they are %s", (_, given, message) => {
    expect(failure(() => weights(given)).message).toMatch(message);
  });

  it("are part of what data are", () => {
    const of = (sampleWeight?: ColumnInputs) => identityOf(hostData({ x: [[1], [2]], sampleWeight }));
    expect(of([1, 2])).toMatch(/^2 samples f32 \[1\] \* 1, weights f32 \[\], checksum/);
    expect(new Set([of(), of([1, 2]), of([2, 1])]).size).toBe(3);
  });
});

/** Column of an input, without a name. */
const COLUMN: ColumnKind = {
  role: "input",
  name: undefined,
  shape: [2],
  dtype: "f32",
  scale: undefined,
  largestClass: undefined,
};

describe("the columns for a model", () => {
  const columns = (...names: (string | undefined)[]) => names.map((name) => ({ ...COLUMN, name }));
  const ports = (...names: string[]) => names.map((name) => ({ name }));
  const refused = (wanted: string[], got: (string | undefined)[]) =>
    failure(() => columnsFor(ports(...wanted), columns(...got), "fit: x")).message;

  it("come in its order, whatever the data's", () => {
    const given = columns("b", "a");
    expect(columnsFor(ports("a", "b"), given, "fit: x")).toEqual([given[1], given[0]]);
  });

  it("may have no name where there is one", () => {
    const given = columns(undefined);
    expect(columnsFor(ports("input"), given, "fit: x")).toEqual(given);
    expect(columnsFor(ports("a"), columns("a"), "fit: x")).toHaveLength(1);
  });

  it("are told where one lacks, is spare, or has no name", () => {
    expect(refused(["a", "b"], ["a"])).toBe('fit: x lacks the column "b". It has: a.');
    expect(refused(["a"], ["a", "c"])).toBe('fit: x has a column "c", the model takes { a }.');
    expect(refused(["a"], ["c"])).toBe('fit: x has a column "c", the model takes { a }.');
    expect(refused(["a", "b"], [undefined])).toBe(
      "fit: x must have a column for each of { a, b }, by name, got one without a name.",
    );
    expect(refused(["toString", "b"], ["b"])).toMatch(/lacks the column "toString"/);
  });
});

describe("a model of several inputs", () => {
  const [image, place] = [input({ shape: [4] }), input({ shape: [2] })];
  const sum = defineLayer({ type: "Sum", call: ({ inputs, add }) => add(ops.add, { a: inputs[0]!, b: inputs[1]! }).c });
  const seen = sum([dense({ units: 3 })(image), dense({ units: 3 })(place)]);
  const outputs = {
    digit: dense({ units: 3, activation: "softmax" })(seen),
    parity: dense({ units: 2, activation: "softmax" })(seen),
  };
  const both = model({ inputs: { image, place }, outputs });
  const { architecture } = both[INTERNALS];
  const network = architecture.network!;

  it("takes columns of its inputs' shapes", () => {
    const good = hostData({ x: { place: places, image: bytes } });
    expect(architecture.networkFor(good, "fit: x")).toBe(network);
    const wrong = hostData({ x: { place: bytes, image: bytes } });
    const { code, message } = failure(() => architecture.networkFor(wrong, "fit: x"));
    expect(code).toBe("shape");
    expect(message).toBe('The model\'s input "place" takes [2] a sample, got [4].');
    expect(failure(() => architecture.networkFor(hostData({ x: bytes }), "fit: x")).message).toMatch(/by name/);
  });

  it("scales each input's bytes by its own, or by what training had", () => {
    const plain = tensor(new Uint8Array(8), [2, 4]);
    expect(byteScalesOf(hostData({ x: { place: places, image: bytes } }), network)).toEqual({ image: 1 / 255 });
    const scales = (image: typeof plain) =>
      scalesOf(hostData({ x: { image, place: places } }), network, { image: 0.5 });
    expect(scales(plain)).toEqual([0.5, 1]);
    expect(scales(bytes)).toEqual([1 / 255, 1]);
  });

  it("wants labels for each output, as its loss does", () => {
    const loss = { digit: "sparseCategoricalCrossentropy", parity: "categoricalCrossentropy" } as const;
    const training = checkCompileOptions({ loss, optimizer: sgd() }, architecture.outputNames).training!;
    const check = (y: Parameters<typeof hostData>[0]["y"]) =>
      checkLabels(hostData({ x: { image: bytes, place: places }, y }), network, training, "fit");
    check({ parity: places, digit: [0, 2] });
    expect(failure(() => check(undefined)).message).toBe("fit needs labels y beside the samples x.");
    expect(failure(() => check([0, 1])).message).toMatch(/^fit: y must have a column for each of \{ digit, parity \}/);
    expect(failure(() => check({ digit: [0, 1] })).message).toBe('fit: y lacks the column "parity". It has: digit.');
    expect(failure(() => check({ digit: [0, 3], parity: places })).message).toMatch(
      /labels must be in \[0, 3\), but y/,
    );
    expect(failure(() => check({ digit: [0, 1], parity: [0, 1] })).message).toMatch(
      /loss "categoricalCross.*wants y of/,
    );
  });

  it("takes weights of its outputs: one column for all, or by name for some", () => {
    const loss = { digit: "sparseCategoricalCrossentropy", parity: "categoricalCrossentropy" } as const;
    const training = checkCompileOptions({ loss, optimizer: sgd() }, architecture.outputNames).training!;
    const y = { digit: [0, 2], parity: places };
    const check = (sampleWeight: ColumnInputs) =>
      checkLabels(hostData({ x: { image: bytes, place: places }, y, sampleWeight }), network, training, "fit");
    check([1, 0.5]);
    check({ parity: [1, 0.5] });
    expect(failure(() => check({ parity: [1, 2], sum: [1, 2] })).message).toBe(
      'fit: sampleWeight has a column "sum", the losses are of { digit, parity }.',
    );
  });

  it("wants labels of the shape and type that a loss says, whatever its check lets through", () => {
    const lax = (dtype: "f32" | "u32"): Loss => ({
      name: "lax",
      labels: (output) => ({ shape: dtype === "u32" ? [1] : output, dtype }),
      check: () => {},
      call: ({ output }) => output,
    });
    const check = (dtype: "f32" | "u32", y: Parameters<typeof hostData>[0]["y"]) => {
      const loss = { digit: lax(dtype), parity: lax("f32") };
      const training = checkCompileOptions({ loss, optimizer: sgd() }, architecture.outputNames).training!;
      checkLabels(hostData({ x: { image: bytes, place: places }, y }), network, training, "fit");
    };
    const three = [
      [1, 2, 3],
      [4, 5, 6],
    ];
    check("f32", { digit: three, parity: places });
    check("u32", { digit: [0, 1], parity: places });
    const shape = failure(() => check("f32", { digit: places, parity: places }));
    expect(shape.code).toBe("shape");
    expect(shape.message).toBe('fit: y.digit: loss "lax" takes labels of [batch, 3], got [batch, 2].');
    const type = failure(() => check("u32", { digit: [0.5, 1], parity: places }));
    expect(type.message).toBe('fit: y.digit: loss "lax" takes class numbers, got floats.');
  });
});

describe("a buffer of the app's", () => {
  it("is refused in words by outputsOf, which reads numbers from the host", async () => {
    const row = sequential([dense({ units: 1, inputShape: [4] })]);
    const error = await outputsOf(row, { buffer: gpuBuffer(32), shape: [2, 4] }).catch((thrown: Error) => thrown);
    expect(String(error)).toMatch(/outputsOf takes numbers, got a GPUBuffer/);
  });

  const of = (column: object) => hostData({ x: column as never });

  it("is a column as it lies there", () => {
    const buffer = gpuBuffer(32);
    const { size, columns } = of({ buffer, shape: [2, 4] });
    expect(size).toBe(2);
    expect(columns).toEqual([
      {
        role: "input",
        name: undefined,
        shape: [4],
        dtype: "f32",
        scale: undefined,
        words: undefined,
        largestClass: undefined,
        buffer,
      },
    ]);
    const named = of({ image: { buffer, shape: [3, 2, 2], dtype: "u8", scale: 0.5 }, place: { buffer, shape: [3] } });
    expect(named.columns.map(({ scale, ...column }) => [...kind({ scale, ...column }), scale])).toEqual([
      ["image", [2, 2], "u8", 0.5],
      ["place", [1], "f32", undefined],
    ]);
  });

  it("may hold labels: rows of floats, or class numbers", () => {
    const labels = (column: object) => hostData({ x: [[1], [2]], y: column as never }).columns.map(kind)[1];
    expect(labels({ buffer: gpuBuffer(8), shape: [2], dtype: "u32" })).toEqual([undefined, [1], "u32"]);
    expect(labels({ buffer: gpuBuffer(8), shape: [2, 1], dtype: "u32" })).toEqual([undefined, [1], "u32"]);
    expect(labels({ buffer: gpuBuffer(24), shape: [2, 3] })).toEqual([undefined, [3], "f32"]);
    expect(failure(() => labels({ buffer: gpuBuffer(24), shape: [2, 3], dtype: "u8" })).message).toMatch(
      /^y: dtype must be one of "f32", "u32", got "u8"/,
    );
    expect(failure(() => labels({ buffer: gpuBuffer(24), shape: [2, 3], dtype: "u32" })).message).toBe(
      "y: class numbers must be [samples] or [samples, 1], got [2, 3].",
    );
    expect(labels({ buffer: gpuBuffer(48), shape: [2, 3, 2] })).toEqual([undefined, [3, 2], "f32"]);
    expect(failure(() => labels({ buffer: gpuBuffer(24), shape: [2, 3], scale: 2 })).message).toMatch(
      /^y: scale must be left out/,
    );
  });

  it("of other lengths than the rest is refused", () => {
    const x = { image: { buffer: gpuBuffer(64), shape: [3, 4] }, place: places };
    expect(failure(() => hostData({ x })).message).toBe(
      "x.image has 3 samples, but x.place has 2: shapes [3, 4] and [2, 2].",
    );
  });

  it.each<[string, object, RegExp, string]>([
    ["no shape", { buffer: gpuBuffer(8) }, /^x: shape must be an array of whole numbers, .*got undefined/, "value"],
    ["a shape of nothing", { buffer: gpuBuffer(8), shape: [] }, /^x: shape must/, "value"],
    [
      "class numbers as samples",
      { buffer: gpuBuffer(8), shape: [2], dtype: "u32" },
      /dtype must be one of .*"u8"/,
      "value",
    ],
    ["another type", { buffer: gpuBuffer(8), shape: [2], dtype: "f16" }, /dtype must be one of .*got "f16"/, "value"],
    ["a scale of NaN", { buffer: gpuBuffer(8), shape: [2], scale: Number.NaN }, /scale must be a finite/, "value"],
    ["what is not known", { buffer: gpuBuffer(8), shape: [2], offset: 4 }, /x has no option "offset"/, "value"],
    [
      "too few bytes",
      { buffer: gpuBuffer(12), shape: [2, 2] },
      /is f32 \[2, 2\], which is 16 bytes, but .* 12/,
      "shape",
    ],
    [
      "no whole words",
      { buffer: gpuBuffer(4), shape: [5], dtype: "u8" },
      /u8 \[5\], which is 8 bytes, but .* 4/,
      "shape",
    ],
    ["another usage", { buffer: gpuBuffer(8, 0x8), shape: [2] }, /must have usage STORAGE/, "value"],
  ])("with %s is refused", (_, column, message, code) => {
    const error = failure(() => of(column));
    expect(error.message).toMatch(message);
    expect(error.code).toBe(code);
  });

  it("stays the app's: a data set neither copies nor frees it", async () => {
    const runtime = await createRuntime({ device: fakeDevice() });
    const buffer = Object.assign(gpuBuffer(32), {
      destroy: () => expect.fail("it is the app's"),
    });
    const dataset = await createDataset(runtime, {
      x: { image: { buffer, shape: [2, 4] }, place: places },
      y: [0, 1],
    });
    expect(dataset.columns[0]!.buffer).toBe(buffer);
    expect(dataset.columns[1]!.buffer).not.toBe(buffer);
    expect(dataset.columns[2]).toMatchObject({ dtype: "u32", shape: [1], largestClass: 1 });
    expect(dataset.bytes).toBe(16 + 8);
    dataset.dispose();
  });

  it("has no labels that the host knows; of others a data set keeps each number at its first place", async () => {
    const runtime = await createRuntime({ device: fakeDevice() });
    const x = new Float32Array(2);
    const given = tensor([3, 3, 255, 3, 0.5, 255], [2, 3]);
    const dataset = await createDataset(runtime, { x, y: { mask: given, own: { buffer: gpuBuffer(8), shape: [2] } } });
    const [mask, own] = columnsOf(dataset, "label");
    const distinct = [3, 255, 0.5].map((value, i) => ({ value, at: [0, 2, 4][i] }));
    expect([mask!.distinct, own!.distinct]).toEqual([distinct, undefined]);
    const many = await createDataset(runtime, {
      x,
      y: tensor(
        Float32Array.from({ length: 140_000 }, (_, i) => i),
        [2, 70_000],
      ),
    });
    expect(columnsOf(many, "label")[0]!.distinct).toBeUndefined();
    for (const each of [dataset, many]) each.dispose();
    // The loss of class numbers reads them.
    const segmenter = sequential([conv2d({ filters: 3, kernelSize: 1, activation: "softmax", inputShape: [1, 2, 1] })]);
    await segmenter.compile({ loss: sparseCategoricalCrossentropy({ ignoreClass: 9 }), optimizer: sgd(), runtime });
    const y = tensor([0, 9, 2, 3], [2, 1, 2]);
    const images = tensor(new Float32Array(4), [2, 1, 2, 1]);
    const set = await createDataset(runtime, { x: images, y });
    const calls = [
      () => segmenter.fit(images, y),
      () => segmenter.fit(set),
      () => segmenter.evaluate(images, y),
      () => segmenter.trainOnBatch(images, y),
    ];
    for (const call of calls)
      await expect(call()).rejects.toMatchObject({
        code: "value",
        message:
          "The output has 3 classes, so labels must be in [0, 3) or 9, which is ignored, but y holds 3 as the label [1, 0, 1] of y.",
      });
    set.dispose();
    segmenter.dispose();
  });

  it("goes to fit, and not to trainOnBatch", async () => {
    const runtime = await createRuntime({ device: fakeDevice() });
    const made = sequential([dense({ units: 2, activation: "softmax", inputShape: [4] })]);
    await made.compile({ loss: "sparseCategoricalCrossentropy", optimizer: sgd(), runtime });
    const error = await made.trainOnBatch({ buffer: gpuBuffer(32), shape: [2, 4] }, [0, 1]).catch((thrown) => thrown);
    expect(error).toMatchObject({
      name: "FeaturemapError",
      code: "value",
      message: "trainOnBatch takes numbers, got a GPUBuffer. Use fit() with createDataset().",
    });
    made.dispose();
  });
});
