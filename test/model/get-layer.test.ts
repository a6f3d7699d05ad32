import { describe, expect, it } from "vitest";
import {
  asLayer,
  conv2d,
  defineLayer,
  dense,
  flatten,
  fromConfig,
  getInputs,
  getLayer,
  getLayers,
  getOutputs,
  input,
  type LayerSpec,
  model,
  ops,
  sequential,
  toConfig,
} from "../../src/index.ts";
import { INTERNALS } from "../../src/model/internals.ts";
import { failure } from "../support/building.ts";

const base = () =>
  sequential(
    [
      conv2d({ filters: 2, kernelSize: 3, activation: "relu", inputShape: [6, 6, 1] }),
      conv2d({ filters: 3, kernelSize: 3 }),
      flatten(),
      dense({ units: 4, activation: "softmax" }),
    ],
    { name: "base" },
  );

/** Paths of a model's variables, those in parentheses that are not trainable. */
const variables = (of: { [INTERNALS]: ReturnType<typeof base>[typeof INTERNALS] }) =>
  of[INTERNALS].architecture.network!.variables.map(({ path, trainable }) => (trainable ? path : `(${path})`));

describe("getLayer", () => {
  it("finds a layer by name and by place, and is the same each time", () => {
    const trained = base();
    const names = ["conv2d", "conv2d_1", "flatten", "dense"];
    expect(getLayers(trained).map(({ name }) => name)).toEqual(names);
    names.forEach((name, i) => {
      expect(getLayer(trained, name)).toBe(getLayers(trained)[i]);
      expect(getLayer(trained, i)).toBe(getLayers(trained)[i]);
      expect(getLayer(trained, i - 4)).toBe(getLayers(trained)[i]);
    });
    const { type, outputShape, input: before, output, config } = getLayer(trained, "conv2d_1");
    expect([type, outputShape, before.shape, output.shape]).toEqual(["Conv2D", [2, 2, 3], [4, 4, 2], [2, 2, 3]]);
    expect(config).toMatchObject({ filters: 3 });
    expect(getInputs(trained)[0]).toBe(getLayer(trained, 0).input);
    expect(getOutputs(trained)[0]).toBe(getLayer(trained, -1).output);
  });

  it("knows layers that are added later, and those before as they were", () => {
    const growing = sequential([dense({ units: 3, inputShape: [2] })]);
    const first = getLayer(growing, 0);
    growing.add(dense({ units: 5 }));
    expect(getLayers(growing)[0]).toBe(first);
    expect(getLayer(growing, 1).input).toBe(first.output);
  });

  it.each([
    ["dense_7", 'getLayer must be a layer\'s name, got "dense_7". The model has: ["conv2d", "conv2d_1"'],
    [4, "getLayer must be a place from -4 to 3, got 4."],
    [-5, "getLayer must be a place from -4 to 3, got -5."],
    [0.5, "getLayer must be a place from -4 to 3, got 0.5."],
    [undefined, "getLayer must be a layer's name, got undefined."],
  ])("refuses %o", (which, message) => {
    const error = failure(() => getLayer(base(), which as string));
    expect(error.code).toBe("value");
    expect(error.message).toContain(message);
  });

  it("refuses what is no model, and a model whose shapes are not known", () => {
    expect(failure(() => getLayer({} as never, 0)).code).toBe("value");
    expect(failure(() => getLayers(sequential([dense({ units: 2 })]))).code).toBe("state");
  });
});

describe("a model out of another's layers", () => {
  it("has them by their names, and those of its own", () => {
    const trained = base();
    const features = getLayer(trained, "flatten").output;
    const mine = model({ inputs: getInputs(trained), outputs: dense({ units: 2 })(features) });
    expect(mine.layers.map(({ name }) => name)).toEqual(["conv2d", "conv2d_1", "flatten", "dense"]);
    expect(mine.outputShape).toEqual([2]);
  });

  it("may be a row", () => {
    const trained = base();
    const mine = sequential([...getLayers(trained).slice(0, -1), dense({ units: 2, name: "head" })]);
    expect(mine.layers.map(({ name }) => name)).toEqual(["conv2d", "conv2d_1", "flatten", "head"]);
    expect(mine.outputShape).toEqual([2]);
    expect(toConfig(fromConfig(toConfig(mine)))).toEqual(toConfig(mine));
  });

  it("may call them on other tensors, and share them", () => {
    const trained = base();
    const x = input({ shape: [6, 6, 1] });
    const first = getLayer(trained, "conv2d");
    const twice = model({ inputs: x, outputs: { a: first(x), b: first(x) } });
    expect(variables(twice)).toEqual(["conv2d/kernel", "conv2d/bias"]);
  });

  it("reads and sets their trainable in the model that they are of", () => {
    const trained = base();
    const { output } = getLayer(trained, "flatten");
    const mine = model({ inputs: getInputs(trained), outputs: dense({ units: 2, name: "head" })(output) });
    for (const layer of getLayers(trained)) layer.trainable = false;
    const frozen = ["(conv2d/kernel)", "(conv2d/bias)", "(conv2d_1/kernel)", "(conv2d_1/bias)"];
    expect(variables(mine)).toEqual([...frozen, "head/kernel", "head/bias"]);
    expect(variables(trained)).toEqual([...frozen, "(dense/kernel)", "(dense/bias)"]);
    getLayer(mine, "conv2d_1").trainable = true;
    expect(variables(trained)).toEqual([
      ...frozen.slice(0, 2),
      "conv2d_1/kernel",
      "conv2d_1/bias",
      "(dense/kernel)",
      "(dense/bias)",
    ]);
  });

  it("cannot call a layer on what its weights do not fit", () => {
    const last = getLayer(base(), "dense");
    const error = failure(() => last(input({ shape: [7] })));
    expect(error.code).toBe("shape");
    expect(error.message).toContain(
      'Dense "dense" is a layer of model "base", but its "kernel" has shape [12, 4] there',
    );
  });

  it("cannot freeze a layer whose object is frozen", () => {
    const spec: LayerSpec = Object.freeze({
      type: "Same",
      call: ({ input: x, add }: Parameters<LayerSpec["call"]>[0]) => add(ops.activation, { x }, { kind: "relu" }).y,
      inputShape: [2],
    });
    const error = failure(() => {
      getLayer(sequential([spec]), 0).trainable = false;
    });
    expect(error.message).toContain("trainable cannot be set");
  });
});

describe("asLayer", () => {
  it("gives a model's layers names of its own, also in a config", () => {
    const nested = asLayer(base());
    const x = input({ shape: [6, 6, 1] });
    const y = dense({ units: 2 })(nested(x));
    expect(nested(x).shape).toEqual([4]);
    const mine = model({ inputs: x, outputs: y });
    expect(mine.layers.map(({ name }) => name)).toEqual([
      "base/conv2d",
      "base/conv2d_1",
      "base/flatten",
      "base/dense",
      "dense",
    ]);
    expect(nested.layers.map(({ name }) => name)).toEqual(mine.layers.slice(0, -1).map(({ name }) => name));
    expect(toConfig(fromConfig(JSON.parse(JSON.stringify(toConfig(mine)))))).toEqual(toConfig(mine));
    expect(mine.countParams()).toBe(base().countParams() + 10);
    // A nested model nests.
    const outer = asLayer(mine, { name: "outer" });
    const z = input({ shape: [6, 6, 1] });
    const all = model({ inputs: z, outputs: outer(z) });
    expect(all.layers[0]!.name).toBe("outer/base/conv2d");
  });

  it("shares its weights among its calls, and none with another", () => {
    const trained = base();
    const [a, b] = [input({ shape: [6, 6, 1] }), input({ shape: [6, 6, 1] })];
    const nested = asLayer(trained, { name: "twin" });
    const other = asLayer(trained, { name: "other" });
    const twins = model({ inputs: [a, b], outputs: { a: nested(a), b: nested(b), c: other(b) } });
    expect(twins.countParams()).toBe(2 * trained.countParams());
  });

  it("freezes its layers as one, and gives them back their own trainable", () => {
    const trained = base();
    getLayer(trained, "conv2d").trainable = false;
    const nested = asLayer(trained, { trainable: false });
    const x = input({ shape: [6, 6, 1] });
    const mine = model({ inputs: x, outputs: nested(x) });
    const trainable = () => variables(mine).filter((path) => !path.startsWith("("));
    expect(trainable()).toEqual([]);
    nested.trainable = true;
    expect(trainable()).toEqual(["base/conv2d_1/kernel", "base/conv2d_1/bias", "base/dense/kernel", "base/dense/bias"]);
  });

  it("takes several inputs in order or by name, and gives several outputs by name", () => {
    const [a, b] = [input({ shape: [2], name: "a" }), input({ shape: [3], name: "b" })];
    const [p, q] = [dense({ units: 2, name: "p" })(a), dense({ units: 4, name: "q" })(b)];
    const nested = asLayer(model({ inputs: [a, b], outputs: { p, q }, name: "pair" }));
    const [x, y] = [input({ shape: [2] }), input({ shape: [3] })];
    for (const outputs of [nested([x, y]), nested({ b: y, a: x })]) {
      expect(outputs.p.shape).toEqual([2]);
      expect(outputs.q.shape).toEqual([4]);
    }
    for (const wrong of [x, [x], { a: x }, { a: x, c: y }, { a: x, b: y, c: y }, 3, undefined, [x, 1]]) {
      const error = failure(() => nested(wrong as never));
      expect(error.code).toBe("value");
      expect(error.message).toContain('Model "pair" must be called on 2 symbolic tensors: ["a", "b"]');
    }
    const error = failure(() => nested([y, x]));
    expect(error.code).toBe("shape");
    expect(error.message).toBe('Model "pair" takes [2] a sample at its input "a", got [3].');
  });

  it("nests layers of several outputs", () => {
    const split = defineLayer({
      type: "Split",
      call: ({ input: x, add }) => [x, add(ops.activation, { x }, { kind: "relu" }).y] as const,
    });
    const x = input({ shape: [2] });
    const [same, positive] = split(x);
    const sum = defineLayer({ type: "Sum", call: ({ inputs: [a, b], add }) => add(ops.add, { a: a!, b: b! }).c });
    const nested = asLayer(model({ inputs: x, outputs: sum([same, positive]), name: "m" }));
    const z = input({ shape: [2] });
    expect(model({ inputs: z, outputs: nested(z) }).layers.map(({ name }) => name)).toEqual(["m/split", "m/sum"]);
  });

  it.each([
    [() => asLayer(base(), { name: 1 as never }), "asLayer: name"],
    [() => asLayer(base(), { trainable: 1 as never }), "asLayer: trainable"],
    [() => asLayer(base(), { frozen: true } as never), 'asLayer has no option "frozen"'],
    [() => asLayer(dense({ units: 1 }) as never), "asLayer: model must come from sequential() or model()"],
  ])("refuses what is wrong: %#", (make, message) => {
    expect(failure(make).message).toContain(message);
  });
});
