import { describe, expect, it } from "vitest";
import { type Algorithm, defineOp, typed } from "../../src/graph/op.ts";
import type { Choice, Choices, Tile } from "../../src/graph/tile.ts";
import { sgd } from "../../src/index.ts";
import { DEFAULT_LIMITS } from "../../src/plan/merge-dispatches.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { type ProgramOptions, trainingProgram } from "../../src/program/programs.ts";
import { Build, failure, networkOf } from "../support/building.ts";
import { articleLayers } from "../support/models.ts";
import { inputsOf, measuresOf } from "../support/programs.ts";

/** An op with two other ways to compute it, which save as much, and whose tensors are as large, as its attributes say. */
const algorithm = (name: string): Algorithm => ({
  name,
  saving: (_, { attributes }) => (attributes[name] as number | undefined) ?? 0,
  largestTensor: (_, { attributes }) => (attributes.bytes as Record<string, number> | undefined)?.[name] ?? 0,
  apply: (edit, node) => {
    const op = name === "short" ? short : shorter;
    const by = edit.node(op, `${node.name}/${name}`, { x: node.inputs.x! }, {}, { y: node.outputs.y! });
    edit.replace([node], [by]);
  },
});
const short = defineOp({ name: "short", inputs: ["x"], outputs: ["y"], infer: ({ x }) => ({ y: x }) });
const shorter = defineOp({ name: "shorter", inputs: ["x"], outputs: ["y"], infer: ({ x }) => ({ y: x }) });
const work = defineOp({
  name: "work",
  inputs: ["x"],
  outputs: ["y"],
  attributes: typed<object>(),
  infer: ({ x }) => ({ y: x }),
  algorithms: [algorithm("short"), algorithm("shorter")],
});

const tile = { blocksM: 1, blocksN: 1, workgroupM: 8, workgroupN: 8, slices: 1 };

function chain(savings: Record<string, number | Record<string, number>>) {
  const build = new Build();
  const x = build.input("x", [4]);
  const { y: a } = build.add(work, { x }, savings, "first");
  const { y: b } = build.add(work, { x: a! }, savings, "second");
  return build.want(b!);
}

describe("the choice of an algorithm", () => {
  const savings = { short: 1.6, shorter: 2.5 };

  it("is a node's own kernels unless a saving is enough", () => {
    const build = chain(savings).rewrite();
    expect(build.order).toEqual(["work", "work"]);
    expect(build.algorithms).toEqual({});
    expect(chain(savings).rewrite({ minSaving: 2.6 }).order).toEqual(["work", "work"]);
  });

  it("falls on the one that saves most, from the least saving on", () => {
    const build = chain(savings).rewrite({ minSaving: 2.5 });
    expect(build.order).toEqual(["shorter", "shorter"]);
    expect(build.algorithms).toEqual({ first: { algorithm: "shorter" }, second: { algorithm: "shorter" } });
    expect(chain({ short: 3, shorter: 2 }).rewrite({ minSaving: 1.5 }).order).toEqual(["short", "short"]);
    // Whoever has no saving cannot compute the node at all.
    expect(chain({ shorter: 0 }).rewrite({ minSaving: 0 }).order).toEqual(["work", "work"]);
  });

  it("passes over one whose tensors are larger than a buffer may be, unless it was asked for", () => {
    const sized = { short: 1.6, shorter: 2.5, bytes: { shorter: 1000 } };
    expect(chain(sized).rewrite({ minSaving: 1.5, maxBytes: 1000 }).order).toEqual(["shorter", "shorter"]);
    expect(chain(sized).rewrite({ minSaving: 1.5, maxBytes: 999 }).order).toEqual(["short", "short"]);
    const choices = { first: { algorithm: "shorter" } };
    expect(chain(sized).rewrite({ choices, minSaving: 2, maxBytes: 999 }).order).toEqual(["shorter", "work"]);
  });

  it("can be given, by node, whatever it saves", () => {
    const choices = { first: { algorithm: "short" } };
    const build = chain(savings).rewrite({ choices });
    expect(build.order).toEqual(["short", "work"]);
    expect(build.algorithms).toEqual(choices);
    expect(chain(savings).rewrite({ choices, minSaving: 2 }).order).toEqual(["short", "shorter"]);
  });

  it.each<[string, Choice]>([
    ["direct", { algorithm: "direct" }],
    ["a tile", tile],
  ])("leaves a node its own kernels where %s is chosen", (_, choice) => {
    const build = chain(savings).rewrite({ choices: { second: choice }, minSaving: 2 });
    expect(build.order).toEqual(["shorter", "work"]);
    expect(build.algorithms).toEqual({ first: { algorithm: "shorter" } });
  });

  it("keeps a node's outputs, for whoever reads or wants them", () => {
    const build = chain(savings);
    const outputs = build.graph.nodes.map((node) => node.outputs);
    build.rewrite({ minSaving: 2 });
    expect(build.graph.nodes.map((node) => node.outputs)).toEqual(outputs);
  });

  it.each([
    ["that nobody knows", { short: 2 }, "winograd9", "direct, short"],
    ["that cannot compute the node", { short: 2, shorter: 0 }, "shorter", "direct, short"],
    ["where there is none", {}, "short", "direct"],
  ])("refuses an algorithm %s, and says which there are", (_, able, name, known) => {
    const choices = { second: { algorithm: name } };
    const { code, message } = failure(() => chain(able as Record<string, number>).rewrite({ choices }));
    expect(code).toBe("value");
    expect(message).toBe(`choices: "second" cannot be computed by "${name}". It can by: ${known}.`);
  });

  it("refuses an algorithm of a node whose op has none", () => {
    const build = new Build();
    const { y } = build.add("softmax", { x: build.input("x", [4, 10]) });
    const run = () => build.want(y!).rewrite({ choices: { softmax: { algorithm: "winograd8" } } });
    expect(failure(run).message).toContain('"softmax" cannot be computed by "winograd8". It can by: direct.');
  });
});

describe("a plan for a large batch", () => {
  const plan = (capacity: number, limits: NonNullable<ProgramOptions["limits"]>, choices: Choices = {}) => {
    const network = networkOf(articleLayers());
    return trainingProgram({
      network,
      capacity,
      choices,
      limits,
      adapter: "software",
      optimizer: sgd(),
      columns: inputsOf(network, { dtype: "u8", scale: 1 / 255 }),
      measures: measuresOf(network),
    }).plan;
  };

  it("keeps to the kernels that the device has the buffers for", () => {
    const limits = { ...DEFAULT_LIMITS, maxStorageBufferBindingSize: 2 ** 27, maxBufferSize: 2 ** 28 };
    const kernels = (batch: number) => plan(batch, limits).steps.map(({ kernel }) => kernel);
    expect(kernels(1024)).toContain("winograd_input");
    expect(kernels(4096)).not.toContain("winograd_input");
    const largest = (made: Plan) => Math.max(...made.buffers.map(({ bytes }) => bytes));
    expect(largest(plan(4096, limits))).toBeLessThanOrEqual(2 ** 27);
    // Without limits, or where it is asked for, Winograd's convolution would take more.
    expect(largest(plan(4096, DEFAULT_LIMITS))).toBeGreaterThan(2 ** 27);
    const choices = { conv2d_1: { algorithm: "winograd8" } };
    expect(largest(plan(4096, limits, choices))).toBeGreaterThan(2 ** 27);
  });
});

describe("choices given back", () => {
  const network = networkOf(articleLayers());
  const plan = (adapter: "gpu" | "software" | "software-quads", choices: Choices) =>
    trainingProgram({
      network,
      capacity: 32,
      adapter,
      choices,
      optimizer: sgd(),
      columns: inputsOf(network, { dtype: "u8", scale: 1 / 255 }),
      measures: measuresOf(network),
    }).plan;

  it.each([
    ["gpu", ["gpu"]],
    ["software", ["software", "software-quads"]],
    ["software-quads", ["software", "software-quads"]],
  ] as const)("make the plan of %s again, on %o", (adapter, others) => {
    const made = plan(adapter, {});
    for (const other of others) {
      expect(plan(other, JSON.parse(JSON.stringify(made.choices)) as Choices)).toEqual(made);
    }
  });

  it("name an algorithm for each node that gave way, and a tile for each product", () => {
    const { choices, steps } = plan("software", {});
    const algorithms = Object.entries(choices).filter(([, choice]) => "algorithm" in choice);
    expect(algorithms.map(([node]) => node)).toEqual([
      "conv2d_1",
      "conv2d_1/conv2dInputGradient",
      "conv2d_1/conv2dFilterGradient",
    ]);
    const products = steps.filter(({ kernel }) => /^(matmul|conv2d(_filter_gradient)?|dense_.*gradient)$/.test(kernel));
    expect(products.length).toBe(11);
    for (const { node } of products) expect(choices[node], node).toHaveProperty("blocksM");
  });

  it.each<[string, string, Partial<Tile>, string]>([
    ["a quad of another shape", "conv2d", { quad: true }, "wants workgroupM 4 and workgroupN 1"],
    [
      "a hoisted tile",
      "conv2d_1/conv2dInputGradient",
      { hoisted: true },
      "is hoisted, which the node's kernel cannot be",
    ],
    ["hoisted, of several slices", "dense", { hoisted: true, workgroupZ: 2 }, "wants workgroupZ 1"],
    ["no blocks", "dense", { blocksN: 0 }, "wants whole numbers from 1 on"],
  ])("are refused by the node's name where a tile is %s", (_, node, change, wanted) => {
    const { code, message } = failure(() => plan("software", { [node]: { ...tile, ...change } }));
    expect(code).toBe("value");
    expect(message).toContain(`choices: the tile of "${node}" `);
    expect(message).toContain(wanted);
  });

  it("are refused by the node's name where the model cannot follow them", () => {
    const choices = { conv2d: { algorithm: "winograd8" }, conv2d_1: { algorithm: "winograd6" } };
    // A kernel of 5 x 5 at 6 points makes tiles of 2 x 2, so both can.
    expect(plan("software", choices).choices).toMatchObject(choices);
    const wrong = { conv2d_1: { algorithm: "fft" } };
    expect(failure(() => plan("software", wrong)).message).toContain('"conv2d_1" cannot be computed by "fft"');
  });
});
