import { describe, expect, it } from "vitest";
import { hostData } from "../src/data/columns.ts";
import { isDataset } from "../src/data/dataset.ts";
import { toTensor } from "../src/data/tensor.ts";
import {
  adam,
  conv2d,
  createDataset,
  createProbe,
  createRuntime,
  type DataInput,
  dense,
  dispatch,
  dropout,
  flatten,
  type LayerSpec,
  oneHot,
  pauseSwitch,
  progressBar,
  progressLine,
  sequential,
  sgd,
  tensor,
} from "../src/index.ts";
import { lossNamed } from "../src/losses/losses.ts";
import { checkedWeights } from "../src/model/calls.ts";
import { type CompileOptions, checkCompileOptions as checkOptions } from "../src/model/compile-options.ts";
import { softmax } from "../src/ops/softmax/softmax.ts";
import { checkFitOptions } from "../src/training/fit-options.ts";
import { failure } from "./support/building.ts";
import { fakeDevice } from "./support/fake-device.ts";
import { deepArray, detached } from "./support/hostile.ts";

/** For a model of one output. */
const checkCompileOptions = (options: CompileOptions) => checkOptions(options, ["dense"]);

const loss = "categoricalCrossentropy";
const layer = dense({ units: 3, inputShape: [4] });
const parameters = [{ path: "dense/kernel", shape: [4, 3] }];

/** Calls of the wrong type, as plain JavaScript makes them, and what their messages must say. */
const wrong: [what: string, call: () => unknown, message: RegExp][] = [
  ["one layer", () => sequential(layer as never), /sequential: layers must be an array, got a function\.$/],
  ["no layers", () => sequential(null as never), /sequential: layers must be an array, got null/],
  ["a metric", () => checkCompileOptions({ loss, optimizer: sgd(), metrics: "accuracy" as never }), /an array/],
  ["no loss", () => checkCompileOptions({ loss: null as never, optimizer: sgd() }), /loss must be one of .*got null/],
  [
    "an empty loss",
    () => checkCompileOptions({ loss: {} as never, optimizer: sgd() }),
    /loss\.dense must be a loss, or null for an output without one/,
  ],
  ["a loss alone", () => checkCompileOptions({ loss }), /optimizer must come from sgd\(\).*got undefined/],
  ["a runtime", () => checkCompileOptions({ loss, optimizer: sgd(), runtime: {} as never }), /createRuntime\(\)/],
  [
    "memory",
    () => checkCompileOptions({ loss, optimizer: sgd(), memory: "small" as never }),
    /one of "fast", "compact"/,
  ],
  [
    "progress",
    () => checkCompileOptions({ loss, optimizer: sgd(), onProgress: 1 as never }),
    /onProgress must be a func/,
  ],
  ["no time", () => checkFitOptions({ submitMs: 0 }), /submitMs must be a finite number of at least 1, got 0/],
  ["callbacks", () => checkFitOptions({ callbacks: {} as never }), /callbacks must be an array/],
  ["a function", () => checkFitOptions({ callbacks: [(() => 0) as never] }), /callbacks must be objects with hooks/],
  ["nothing", () => checkFitOptions({ callbacks: [undefined as never] }), /callbacks must be objects with hooks/],
  ["a promised callback", () => checkFitOptions({ callbacks: [Promise.resolve({}) as never] }), /await it first/],
  [
    "callbacks in a list",
    () => checkFitOptions({ callbacks: [[{}] as never] }),
    /callbacks must be objects with hooks/,
  ],
  ["a pause", () => checkFitOptions({ pause: true as never }), /pause must come from pauseSwitch\(\), got true/],
  ["no pause", () => checkFitOptions({ pause: null as never }), /pause must come from pauseSwitch\(\), got null/],
  ["resume", () => checkFitOptions({ resume: {} as never }), /resume must be true or false, got an object/],
  ["shuffle", () => checkFitOptions({ shuffle: "no" as never }), /shuffle must be true or false, got "no"/],
  ["no weights", () => checkedWeights(undefined as never, parameters), /weights must be an array, got undefined/],
  ["a null weight", () => checkedWeights([null as never], parameters), /got null in place of \{ data \} at place 0/],
  [
    "plain arrays",
    () => checkedWeights([new Float32Array(12) as never], parameters),
    /got a Float32Array of length 12 in place/,
  ],
  [
    "a hole in a weight's shape",
    () => checkedWeights([{ shape: new Array(2).fill(3, 1), data: new Float32Array(12) }], parameters),
    /has shape \[4, 3\], got \[undefined, 3\] at place 0/,
  ],
  [
    "layers in a list",
    () => sequential().add([layer] as never),
    /A layer must come from .*, one a call, got \[a function\]/,
  ],
  ["no data", () => tensor(...([] as unknown as [never, never])), /tensor: data must be .*got undefined/],
  ["a boxed number", () => dense({ units: new Number(3) as never }), /units must be .*got a Number object/],
  ["a misspelt scale", () => tensor(new Float32Array(4), [4], { scal: 2 } as never), /tensor has no option "scal"/],
  ["a tensor", () => oneHot(tensor(new Uint8Array(4), [4]) as never, 3), /oneHot: labels must be an array/],
  ["no classes", () => oneHot([0, 1], undefined as never), /oneHot: classes must be a whole number/],
  ["no kernel size", () => conv2d({ filters: 3 } as never), /kernelSize must be a whole number/],
];

it.each(wrong)("says what is wrong with %s", (_, call, message) => {
  expect(failure(call).message).toMatch(message);
});

const controller = new AbortController();
const model = () => sequential([layer]);
const hooks = (callback: object) => () => checkFitOptions({ callbacks: [callback] });
const parameter = (data: unknown) => () => checkedWeights([{ data } as never], [{ path: "a", shape: [2] }]);

const own = (change: object) => () =>
  checkCompileOptions({ loss: { ...lossNamed(loss), ...change } as never, optimizer: sgd() });
const steps = (change: object) => () => checkCompileOptions({ loss, optimizer: { ...sgd(), ...change } as never });
const calls = (call: LayerSpec["call"]) => () => sequential([{ ...layer, name: "own", call }]);

/** What a programmer does by mistake, and what the message must say so that it is mended. */
const mistakes: [what: string, call: () => unknown, message: RegExp][] = [
  ["a promise for data", () => toTensor(Promise.resolve() as never, "x"), /got a promise: await it first/],
  ["a promise for a layer", () => sequential([Promise.resolve(layer) as never]), /got a promise: await it first/],
  ["a promise for options", () => sgd(Promise.resolve({}) as never), /got a promise: await it first\. It takes: learn/],
  [
    "a function that was not called",
    () => sequential([dense as never]),
    /A layer must come from .*got a function dense/,
  ],
  [
    "a number for options",
    () => dense(32 as never),
    /dense must be given an object of options, got 32\. It takes: units/,
  ],
  ["a list of options", () => flatten([] as never), /flatten must be given an object of options, got \[\]/],
  ["a number as a word", () => dense({ units: "32" as never }), /units must be a whole number .*got "32" \(a string\)/],
  ["null for a rate", () => dropout({ rate: null as never }), /rate must be a finite number .*got null/],
  ["null for options", () => adam(null as never), /adam must be given an object of options, got null/],
  [
    "swapped arguments",
    () => tensor([2, 2] as never, new Float32Array(4) as never),
    /a shape, .*got a Float32Array of len/,
  ],
  ["a size for a shape", () => tensor(new Float32Array(4), 4 as never), /a shape, an array of 1 to 8 .* got 4/],
  ["no shape", () => tensor(new Float32Array(4), undefined as never), /a shape, an array of .* got undefined/],
  [
    "a hole in a shape",
    () => tensor(new Float32Array(6), Object.assign([2, 0, 3], { 1: undefined }) as never),
    /a shape/,
  ],
  [
    "an array without a shape",
    () => hostData({ x: new Float32Array(4), y: [0, 1] }),
    /x has 4 samples, but y has 2: .* Give flat numbers their shape: tensor\(data/,
  ],
  ["a view of bigints", () => oneHot(BigInt64Array.of(1n) as never, 3), /label 0 must be .* got 1n \(a bigint\)/],
  ["labels as words", () => oneHot(["1"] as never, 3), /label 0 must be .* got "1" \(a string\)/],
  ["a model for data", () => hostData({ x: model() as never }), /x must be tensor\(data, shape\).*got a Sequential/],
  [
    "an AbortController",
    () => checkFitOptions({ signal: controller as never }),
    /such as controller\.signal, got an Abort/,
  ],
  ["a switch for options", () => checkFitOptions(pauseSwitch() as never), /fit must be given an object of options/],
  [
    "a word for verbose",
    () => checkFitOptions({ verbose: "1" as never }),
    /verbose must be one of 0, 1, 2, "auto", got "1" \(a str/,
  ],
  [
    "one callback",
    () => checkFitOptions({ callbacks: { onEpochEnd: () => {} } as never }),
    /callbacks must be an array/,
  ],
  ["a number for a hook", hooks({ onTrainBatchEnd: 5 }), /callbacks: onTrainBatchEnd must be a function, got 5/],
  ["Keras's name for a hook", hooks({ on_epoch_end: () => {} }), /have hooks among .*onEpochEnd.*got "on_epoch_end"/],
  ["a misspelt hook", hooks({ onEpochEnds: () => {} }), /have hooks among .*got "onEpochEnds"/],
  ["null epochs", () => checkFitOptions({ epochs: null as never }), /epochs must be a whole number .*got null/],
  [
    "a bigint for a seed",
    () => checkFitOptions({ seed: 1n as never }),
    /seed must be a whole number, got 1n \(a bigint\)/,
  ],
  ["a NaN weight", parameter([1, Number.NaN]), /setWeights: "a", number 1, must be finite.*got NaN/],
  [
    "a weight beyond 32 bits",
    parameter(Float64Array.of(1, 1e39)),
    /number 1, must be finite, as a 32-bit float, got 1e\+39/,
  ],
  ["bigints for weights", parameter(BigInt64Array.of(1n, 2n)), /number 0, must be finite.*got 1n \(a bigint\)/],
  ["words for weights", parameter(["1", "2"]), /number 0, must be finite.*got "1" \(a string\)/],
  [
    "a learning rate beyond 32 bits",
    () => sgd({ learningRate: 1e39 }),
    /learningRate must be .*as a 32-bit float, got 1e\+39/,
  ],
  ["a rate that is 1 in 32 bits", () => adam({ beta1: 1 - 1e-12 }), /beta1 must be .*below 1, as a 32-bit float/],
  [
    "an epsilon that is 0 in 32 bits",
    () => adam({ epsilon: 1e-50 }),
    /epsilon must be 0 or at least 1\.2e-38, got 1e-50/,
  ],
  [
    "a choice that is none",
    () => checkCompileOptions({ choices: { a: "direct" as never } }),
    /choices: "a" must be a tile/,
  ],
  ["a loss without a name", own({ name: "" }), /compile: loss\.name must be a word, got ""/],
  ["a loss without labels", own({ labels: undefined }), /compile: loss\.labels must be a function, got undefined/],
  ["a loss that checks nothing", own({ check: 1 }), /compile: loss\.check must be a function, got 1/],
  ["an optimizer without a name", steps({ name: undefined }), /optimizer\.name must be a word, got undefined/],
  ["slots that are no function", steps({ slots: [] }), /optimizer\.slots must be a function, got \[\]/],
  ["variables that are no function", steps({ variables: [] }), /optimizer\.variables must be a function, got \[\]/],
  ["a begin that is no function", steps({ begin: {} }), /optimizer\.begin must be a function, got an object/],
  ["variables that nothing gets", steps({ variables: () => [] }), /optimizer\.begin must be a function, got undefined/],
  ["an optimizer's wrong config", steps({ config: "a" }), /optimizer\.config must be an object, got "a"/],
  ["one transform", steps({ transforms: { transform: () => {} } }), /optimizer\.transforms must be an array/],
  ["a transform that is none", steps({ transforms: [{}] }), /transforms: transform must be a function, got undefined/],
  ["choices that are none", () => checkCompileOptions({ choices: [] as never }), /compile: choices must be an object/],
  ["a progress line of nothing", () => progressLine(undefined as never), /progressLine must be given an object/],
  ["a terminal that cannot write", () => progressBar({} as never), /terminal must come from process\.stdout/],
  ["a kernel as text", () => dispatch("fn" as never, { bind: {}, workgroups: [1, 1, 1] }), /kernel must be an object/],
  ["a layer without call", () => sequential([{ ...layer, call: undefined as never }]), /A layer must come from/],
  ["a layer's wrong name", () => sequential([{ ...layer, name: 5 as never }]), /Dense: name must be a word, got 5/],
  [
    "a layer that returns all outputs",
    calls((call) => call.add(softmax, { x: call.input }) as never),
    /Dense "own": call\(\) must return a tensor \(add\(\) gives outputs by name: take its y\), got an object with keys y/,
  ],
  [
    "a layer that adds all outputs",
    calls((call) => call.add(softmax, { x: call.add(softmax, { x: call.input }) as never }).y),
    /must add a tensor \(add\(\) gives outputs by name: take its y\), got an object with keys y/,
  ],
  [
    "a layer that adds inputs without names",
    calls((call) => call.add(softmax, call.input as never).y),
    /inputs of add\(\) must be an object, got \d/,
  ],
  ["a layer that returns nothing", () => sequential([{ ...layer, call: () => undefined as never }]), /return a tensor/],
];

it.each(mistakes)("names the remedy for %s", (_, call, message) => {
  expect(failure(call).message).toMatch(message);
});

/** The error that a promise is rejected with. */
const rejection = async (promise: Promise<unknown>) => {
  const error = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  return failure(() => {
    throw error;
  });
};

describe("createRuntime", () => {
  const device = fakeDevice();
  const wrong: [string, unknown, RegExp][] = [
    [
      "a device itself",
      Object.create({ createBuffer: () => {} }),
      /must be given an object of options.* It takes: device, gpu/,
    ],
    [
      "a promise of a device",
      { device: Promise.resolve(device) },
      /device must come from .*got a promise: await it first/,
    ],
    ["no device", { device: null }, /device must come from await adapter\.requestDevice\(\), got null/],
    ["a promise of an adapter", { gpu: Promise.resolve({}) }, /gpu must come from navigator\.gpu.*got a promise/],
    [
      "a power preference",
      { gpu: { requestAdapter: () => {} }, powerPreference: "high" },
      /one of "low-power", "high-perf/,
    ],
  ];

  it.each(wrong)("refuses %s in words", async (_, options, message) => {
    const { code, message: text } = await rejection(createRuntime(options as never));
    expect(code).toBe("value");
    expect(text).toMatch(message);
  });

  it("takes a device as an option", async () => {
    expect((await createRuntime({ device })).device).toBe(device);
  });
});

describe("createDataset", () => {
  it("wants its runtime first", async () => {
    const { message } = await rejection(createDataset({ x: [1] } as never, undefined as never));
    expect(message).toBe(
      "createDataset(runtime, { x, y }): runtime must come from await createRuntime(), got an object with keys x.",
    );
  });

  it("wants a runtime that was awaited, and known names", async () => {
    const promised = createRuntime({ device: fakeDevice() });
    expect((await rejection(createDataset(promised as never, { x: [1] }))).message).toMatch(
      /a promise: await it first/,
    );
    const misspelt = createDataset(await promised, { x: [1], labels: [1] } as never);
    expect((await rejection(misspelt)).message).toMatch(/no option "labels"\. It takes: x, y/);
  });

  it("makes what is known again, and is no data within other data", async () => {
    const dataset = await createDataset(await createRuntime({ device: fakeDevice() }), { x: [1, 2] });
    expect(isDataset(dataset)).toBe(true);
    expect(failure(() => toTensor(dataset as never, "probe.run: x")).message).toMatch(/nested arrays .*got a Dataset/);
  });
});

describe("what another copy of the library made", () => {
  const tagged = (tag: string) => ({ [Symbol.toStringTag]: tag });

  it("is told from what is wrong", async () => {
    expect(failure(() => isDataset(tagged("Dataset"))).message).toMatch(/of another copy of featuremap/);
    const { message } = await rejection(createProbe(tagged("Sequential") as never));
    expect(message).toBe(
      "createProbe: model must come from sequential() or model() of this copy of featuremap, got a Sequential.",
    );
    const runtime = tagged("Runtime") as never;
    expect(failure(() => checkCompileOptions({ runtime })).message).toMatch(/createRuntime\(\) of this copy of feat/);
  });
});

describe("tensor, of plain arrays", () => {
  it.each<[unknown, number[]]>([
    [
      [1, 2, 3, 4, 5, 6],
      [2, 3],
    ],
    [[1, 2, 3, 4, 5, 6], [6]],
    [
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
      [2, 3],
    ],
  ])("takes %j with the shape %j", (data, shape) => {
    const made = tensor(data as never, shape, { scale: 0.5 });
    expect(made.data).toEqual(Float32Array.of(1, 2, 3, 4, 5, 6));
    expect(made).toMatchObject({ shape, scale: 0.5 });
    expect(toTensor({ data, shape } as never, "x")).toEqual({ data: made.data, shape });
  });

  it("refuses those of another shape, and shows both", () => {
    const { code, message } = failure(() =>
      tensor(
        [
          [1, 2, 3],
          [4, 5, 6],
        ],
        [3, 2],
      ),
    );
    expect(code).toBe("shape");
    expect(message).toBe("tensor has shape [3, 2], which is 6 numbers, but its array is [2, 3].");
  });

  it("asks after a buffer that was transferred", () => {
    const data = detached(new Float32Array(4));
    expect(failure(() => tensor(data, [4])).message).toMatch(/holds 0\. Was its buffer transferred\?/);
  });
});

describe("nested arrays", () => {
  const cyclic: unknown[] = [];
  cyclic.push(cyclic, cyclic);
  const later: unknown[] = [1];
  later.push(later);
  let shared: unknown = 1;
  for (let i = 0; i < 8; i++) shared = new Array(1000).fill(shared);

  it.each<[string, unknown, string, RegExp]>([
    ["that are deep", deepArray(), "shape", /nested deeper than 8 levels/],
    ["that hold themselves", cyclic, "shape", /nested deeper than 8 levels/],
    ["that hold themselves later", later, "shape", /at depth 1 it has an array of 2/],
    ["of more numbers than there is room for", shared, "limit", /no room for an array of 1e\+24 numbers/],
    ["that are holes", new Array(4_294_967_295), "shape", /at depth 1 it has undefined/],
  ])("%s end in words, at once", (_, nested, code, message) => {
    const begun = performance.now();
    const error = failure(() => toTensor(nested as DataInput, "x"));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
    expect(performance.now() - begun).toBeLessThan(1000);
  });

  it("have up to 8 levels", () => {
    expect(toTensor(deepArray(7) as never, "x").shape).toEqual([1, 1, 1, 1, 1, 1, 1, 1]);
    expect(failure(() => toTensor(deepArray(8) as never, "x")).message).toMatch(/deeper than 8/);
  });
});

describe("compile's choices", () => {
  it("are taken as they are when compile is called", () => {
    const choices: Record<string, { algorithm: string }> = { dense: { algorithm: "direct" } };
    const checked = checkCompileOptions({ choices }).choices;
    choices.dense!.algorithm = "other";
    choices.more = { algorithm: "direct" };
    expect(checked).toEqual({ dense: { algorithm: "direct" } });
  });
});

describe("fit's options", () => {
  it("are taken as they are when fit is called", () => {
    const callbacks = [{ onEpochEnd: () => {} }];
    const options = { epochs: 3, callbacks };
    const checked = checkFitOptions(options);
    options.epochs = 5;
    callbacks.push({ onEpochEnd: () => {} });
    expect(checked.epochs).toBe(3);
    expect(checked.callbacks).toHaveLength(1);
  });

  it("may have no signal, as those of fetch", () => {
    expect(() => checkFitOptions({ signal: null as never })).not.toThrow();
  });
});
