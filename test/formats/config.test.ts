import { describe, expect, it } from "vitest";
import { hostData } from "../../src/data/columns.ts";
import type { SequentialConfig } from "../../src/formats/config.ts";
import {
  averagePooling2d,
  conv2d,
  dense,
  flatten,
  fromConfig,
  type LayerSpec,
  type Model,
  maxPooling2d,
  sequential,
  tensor,
  toConfig,
} from "../../src/index.ts";
import { INTERNALS } from "../../src/model/internals.ts";
import { predictionProgram } from "../../src/program/programs.ts";
import { failure } from "../support/building.ts";
import { articleLayers } from "../support/models.ts";

const article: SequentialConfig = {
  className: "Sequential",
  version: 1,
  name: "sequential",
  layers: [
    {
      className: "Conv2D",
      config: {
        name: "conv2d",
        inputShape: [28, 28, 1],
        filters: 32,
        kernelSize: [5, 5],
        strides: [1, 1],
        padding: "valid",
        dilationRate: [1, 1],
        groups: 1,
        activation: "relu",
        useBias: true,
        kernelInitializer: "glorotUniform",
        biasInitializer: "zeros",
      },
    },
    {
      className: "MaxPooling2D",
      config: { name: "max_pooling2d", poolSize: [2, 2], strides: [2, 2], padding: "valid" },
    },
    {
      className: "Conv2D",
      config: {
        name: "conv2d_1",
        filters: 64,
        kernelSize: [5, 5],
        strides: [1, 1],
        padding: "valid",
        dilationRate: [1, 1],
        groups: 1,
        activation: "relu",
        useBias: true,
        kernelInitializer: "glorotUniform",
        biasInitializer: "zeros",
      },
    },
    {
      className: "MaxPooling2D",
      config: { name: "max_pooling2d_1", poolSize: [2, 2], strides: [2, 2], padding: "valid" },
    },
    { className: "Flatten", config: { name: "flatten" } },
    {
      className: "Dense",
      config: {
        name: "dense",
        units: 1000,
        activation: "relu",
        useBias: true,
        kernelInitializer: "glorotUniform",
        biasInitializer: "zeros",
      },
    },
    {
      className: "Dense",
      config: {
        name: "dense_1",
        units: 10,
        activation: "softmax",
        useBias: true,
        kernelInitializer: "glorotUniform",
        biasInitializer: "zeros",
      },
    },
  ],
};

/** Layers none of whose options is a default. */
const unusual = () => [
  conv2d({
    filters: 3,
    kernelSize: [2, 3],
    strides: [1, 2],
    padding: "same",
    activation: "tanh",
    useBias: false,
    kernelInitializer: "heUniform",
    inputShape: [9, 8, 2],
    name: "first",
  }),
  maxPooling2d({ poolSize: [1, 2], strides: [2, 1], padding: "same" }),
  averagePooling2d({ poolSize: 2, strides: 1, padding: "same", name: "mean" }),
  flatten({ name: "flat" }),
  dense({ units: 4, activation: "sigmoid", biasInitializer: "ones", kernelInitializer: "zeros", name: "last" }),
];

const networkOf = (model: Model) => model[INTERNALS].architecture.network!;
const variablesOf = (model: Model) =>
  networkOf(model).variables.map(({ initial, ...variable }) => ({ ...variable, initial: initial?.(7).slice(0, 100) }));

/** All that a model computes, as text. */
function planOf(model: Model): string {
  const network = networkOf(model);
  const { plan } = predictionProgram({ network, capacity: 4, adapter: "software", choices: {} });
  return `${plan}\n${plan.steps.map(({ shader }) => shader.code).join("\n")}`;
}

describe("toConfig", () => {
  it("writes class names, names and options down, defaults too", () => {
    expect(toConfig(sequential(articleLayers()))).toEqual(article);
  });

  it("is plain JSON", () => {
    const config = toConfig(sequential(unusual(), { name: "mine" }));
    expect(JSON.parse(JSON.stringify(config))).toEqual(config);
  });

  it("knows the input's shape where the data told it", () => {
    const model = sequential([dense({ units: 2 })]);
    expect(toConfig(model).layers[0]!.config).not.toHaveProperty("inputShape");
    const { architecture } = model[INTERNALS];
    architecture.keep(architecture.networkFor(hostData({ x: tensor(new Float32Array(7), [1, 7]) }), "fit: x"));
    expect(toConfig(model).layers[0]!.config.inputShape).toEqual([7]);
  });

  it("says what JSON cannot hold, and which layer does not know its options", () => {
    const own = sequential([dense({ units: 2, kernelInitializer: () => new Float32Array(8), inputShape: [4] })]);
    expect(failure(() => toConfig(own)).message).toBe(
      'toConfig: Dense "dense".kernelInitializer is a function kernelInitializer, which JSON cannot hold. ' +
        "Use one that has a name.",
    );
    const layer: LayerSpec = { type: "Own", call: ({ input }) => input };
    expect(failure(() => toConfig(sequential([layer]))).message).toBe(
      'toConfig: Own "own" does not know its options. ' +
        "Give the layer a config: the options that make it again, as plain JSON.",
    );
    const odd = (config: Record<string, unknown>) => failure(() => toConfig(sequential([{ ...layer, config }])));
    expect(odd({ rate: Number.NaN }).message).toMatch(/Own "own"\.rate is NaN, which JSON cannot hold/);
    expect(odd({ when: new Date(0) }).message).toMatch(/"own"\.when is an? /);
    expect(odd({ list: [1, { deep: undefined, bad: 1n }] }).message).toMatch(
      /list\[1\]\.bad is 1n \(a bigint\), which JSON/,
    );
    const thrower = Object.defineProperty({ rate: 1 }, "rate", {
      enumerable: true,
      get: () => {
        throw new RangeError("a getter of the caller's");
      },
    });
    expect(odd(thrower)).toMatchObject({ code: "value", message: 'toConfig: Own "own" cannot be read.' });
    expect(odd(5 as never).message).toMatch(/"own"\.config must be an object of options, got 5/);
    expect(failure(() => toConfig({} as never)).message).toMatch(/toConfig: model must come from sequential/);
  });
});

it("toConfig writes a layer's own name and shape, whatever its options say", () => {
  const layer: LayerSpec = {
    type: "Own",
    name: "mine",
    config: { name: "theirs", inputShape: [9], rate: 1 },
    call: ({ input }) => input,
  };
  const [first, second] = toConfig(sequential([dense({ units: 2, inputShape: [3] }), layer])).layers;
  expect(first!.config).toMatchObject({ name: "dense", inputShape: [3] });
  expect(second!.config).toEqual({ name: "mine", rate: 1 });
});

describe("fromConfig", () => {
  it("takes layers as an object only", () => {
    for (const layers of [new Map(), 5, [() => {}], Promise.resolve({}), null, new Date(0)])
      expect(failure(() => fromConfig(article, { layers: layers as never })).message).toMatch(
        /^fromConfig: layers must be an object, got /,
      );
    expect(fromConfig(article, { layers: undefined as never }).layers).toHaveLength(article.layers.length);
  });

  it.each([
    ["the article's", articleLayers],
    ["one of unusual options", unusual],
  ])("makes a model again: %s", (_, layers) => {
    const model = sequential(layers(), { name: "again" });
    const made = fromConfig(JSON.parse(JSON.stringify(toConfig(model))));
    expect(made.name).toBe("again");
    expect(toConfig(made)).toEqual(toConfig(model));
    expect(made.layers).toEqual(model.layers);
    expect(variablesOf(made)).toEqual(variablesOf(model));
    expect(planOf(made)).toBe(planOf(model));
  });

  it("takes options that are left out as their defaults", () => {
    const layers = [{ className: "Dense", config: { units: 2, inputShape: [3] } }];
    const made = fromConfig({ ...article, layers });
    expect(made.layers).toEqual(sequential([dense({ units: 2, inputShape: [3] })]).layers);
  });

  it("takes layers of one's own", () => {
    const times = (config: { factor: number; name?: string }): LayerSpec => ({
      type: "Times",
      name: config.name,
      config: { factor: config.factor },
      call: ({ input }) => input,
    });
    const model = sequential([dense({ units: 2, inputShape: [3] }), times({ factor: 3, name: "by_three" })]);
    const config = toConfig(model);
    expect(config.layers[1]).toEqual({ className: "Times", config: { name: "by_three", factor: 3 } });
    expect(toConfig(fromConfig(config, { layers: { Times: times } }))).toEqual(config);
    expect(failure(() => fromConfig(config)).message).toMatch(
      /layers\[1\]\.className is no known layer: "Times"\. It can be: Conv2D, .*fromConfig\(config, \{ layers/,
    );
    const nameless = ({ factor }: { factor: number }) => times({ factor });
    expect(failure(() => fromConfig(config, { layers: { Times: nameless } })).message).toBe(
      'fromConfig: config.layers[1] is named "by_three", but the factory of "Times" made "times". Let it pass the name on.',
    );
    expect(failure(() => fromConfig(config, { layers: { Times: 3 as never } })).message).toMatch(
      /layers\.Times must be a function \(config\) => Layer, got 3/,
    );
  });

  const change = (at: number, config: object) =>
    ({
      ...article,
      layers: article.layers.map((layer, i) =>
        i === at ? { ...layer, config: { ...layer.config, ...config } } : layer,
      ),
    }) as SequentialConfig;

  it.each<[what: string, config: unknown, message: RegExp, code?: string]>([
    ["nothing", undefined, /config must be an object, as toConfig\(\) gives it, got undefined/],
    ["a list", [article], /config must be an object/],
    ["text", JSON.stringify(article), /config must be an object.*got "\{.*Of JSON, give JSON\.parse\(text\)\.$/],
    ["a newer version", { ...article, version: 2 }, /version must be 1, got 2\. Newer ones need a newer featuremap/],
    ["no version", { ...article, version: undefined }, /version must be 1, got undefined/],
    ["more than there is", { ...article, edges: [] }, /config has no option "edges"/],
    [
      "another class",
      { ...article, className: "Model" },
      /className must be one of "Sequential", "Functional", got "M/,
    ],
    ["no name", { ...article, name: 3 }, /name must be a string, got 3/],
    ["no layers", { ...article, layers: {} }, /layers must be an array/],
    ["a layer that is none", { ...article, layers: [null] }, /layers\[0\] must be an object, got null/],
    ["an unknown layer", { ...article, layers: [{ className: "GRU", config: {} }] }, /no known layer: "GRU"/],
    ["an inherited one", { ...article, layers: [{ className: "toString", config: {} }] }, /no known layer: "toString"/],
    [
      "a layer's extra",
      { ...article, layers: [{ ...article.layers[0], units: 3 }] },
      /layers\[0\] has no option "units"/,
    ],
    [
      "no options",
      { ...article, layers: [{ className: "Flatten" }] },
      /layers\[0\]\.config must be an object of options/,
    ],
    [
      "an unknown option",
      change(2, { dilation: 2 }),
      /layers\[2\]: conv2d has no option "dilation"\. It takes: filters/,
    ],
    ["a wrong option", change(5, { units: "many" }), /layers\[5\]: dense: units must be a whole number.*got "many"/],
    ["a name twice", change(2, { name: "conv2d" }), /has a layer named "conv2d" already/],
    ["what does not fit", change(0, { kernelSize: [29, 29] }), /29/, "shape"],
  ])("says what is wrong with %s", (_, config, message, code = "value") => {
    const error = failure(() => fromConfig(config as SequentialConfig));
    expect(error.message).toMatch(message);
    expect(error.code).toBe(code);
  });
});
