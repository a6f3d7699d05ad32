import { describe, expect, it } from "vitest";
import { defineOp } from "../../src/graph/op.ts";
import { rewrite } from "../../src/graph/rewrite.ts";
import type { Node, TensorId } from "../../src/graph/tensor.ts";
import { defineLayer, dense, input, type Loss, type Metric, ops, sgd } from "../../src/index.ts";
import { lossNamed } from "../../src/losses/losses.ts";
import { metricNamed } from "../../src/metrics/metrics.ts";
import { networkOf } from "../../src/network/functional.ts";
import { meanLayout } from "../../src/ops/batch/means.ts";
import { ProgramBuilder, portKey, type Stage } from "../../src/program/builder.ts";
import { Measures } from "../../src/program/measures.ts";
import { trainingProgram } from "../../src/program/programs.ts";
import * as stages from "../../src/program/stages.ts";
import { variablesOf } from "../../src/program/variables.ts";
import { randomArray } from "../reference/random.ts";
import { failure } from "../support/building.ts";
import { expectClose, numericGradient } from "../support/compare.ts";
import { BATCH, ROWS, runNodes, sum } from "../support/float-graph.ts";
import { inputsOf } from "../support/programs.ts";
import { tolerances } from "../support/tolerances.ts";

const plus = defineLayer({ type: "Plus", call: ({ inputs: [a, b], add }) => add(ops.add, { a: a!, b: b! }).c });

/** Two inputs through one shared layer, and two outputs: of both inputs, and of the first alone. */
function twoByTwo(trainable = { shared: true, heads: true }) {
  const [a, b] = [input({ shape: [3], name: "a" }), input({ shape: [3], name: "b" })];
  const shared = dense({ units: 4, name: "shared", trainable: trainable.shared });
  const head = (units: number) => dense({ units, activation: "softmax", trainable: trainable.heads });
  const first = shared(a);
  return networkOf([a, b], { left: head(3)(plus([first, shared(b)])), right: head(2)(first) });
}
const network = twoByTwo();
const PATHS = ["shared/kernel", "shared/bias", "dense/kernel", "dense/bias", "dense_1/kernel", "dense_1/bias"];

interface Output {
  readonly loss: Loss;
  readonly weight: number;
  readonly metrics: readonly Metric[];
}
const rows = lossNamed("categoricalCrossentropy");
const classes = lossNamed("sparseCategoricalCrossentropy");

function measuresOf({ left, right }: { left?: Partial<Output>; right?: Partial<Output> } = {}): Measures {
  const rest = { weight: 1, metrics: [] };
  const outputs = [
    { name: "left", index: 0, ...rest, loss: rows, ...left },
    { name: "right", index: 1, ...rest, loss: classes, ...right },
  ];
  return new Measures(outputs, network);
}

/** A loss of a user's, of losses of the library added up. */
const added = (...all: readonly Loss[]): Loss => ({
  ...all[0]!,
  name: "added",
  call: (call) => all.map((loss) => loss.call(call)).reduce((a, b) => call.add(ops.add, { a, b }).c),
});
/** A loss of a user's, twice another. */
const doubled: Loss = {
  ...rows,
  name: "doubled",
  call: (call) => {
    const loss = rows.call(call);
    return call.add(ops.add, { a: loss, b: loss }).c;
  },
};

/** What stages have made. */
function built(list: readonly Stage[], of = network): ProgramBuilder {
  const builder = new ProgramBuilder("train", { network: of, capacity: BATCH, columns: inputsOf(of) });
  for (const stage of list) stage(builder);
  return builder;
}
const toGradients = (measures: Measures): Stage[] => [
  stages.gather({ shuffled: true, measures }),
  stages.forward({ training: true }),
  stages.losses(measures),
  stages.gradients(measures),
];

/** Numbers for what a program binds. */
function dataOf({ graph, variables, ports }: ProgramBuilder): Map<TensorId, Float64Array> {
  const parameters = PATHS.flatMap((path) => variables.get(path) ?? []);
  const values = new Map(
    parameters.map((id) => [
      id,
      randomArray(
        graph.tensors[id]!.shape.reduce((a, b) => a * b, 1),
        id,
      ),
    ]),
  );
  const port = (key: string, data: Float64Array) => values.set(ports.get(key)!, data);
  for (const i of [0, 1]) port(portKey("input", i), randomArray(BATCH * 3, 100 + i));
  port(portKey("label", 0), randomArray(BATCH * 3, 102, 0, 1));
  port(portKey("label", 1), Float64Array.of(1, 0, 1, 0));
  return values;
}

/** Compares gradients with central differences of the weighted sum of the mean losses. Returns the ops that were run. */
function expectGradients(measures: Measures, adapter?: "software"): string[] {
  const builder = built(toGradients(measures));
  const { graph } = builder;
  const data = dataOf(builder);
  const forward = built(toGradients(measures).slice(0, 3)).graph.nodes;
  const total = () => {
    const values = runNodes({ nodes: forward, tensors: graph.tensors }, data);
    const means = builder.losses.map((id) => sum(values.get(id)!.subarray(0, ROWS)) / ROWS);
    return means.reduce((all, mean, i) => all + measures.outputs[i]!.weight * mean, 0);
  };
  // A step's means read the losses.
  graph.results.push(...builder.losses, ...builder.gradients.values());
  const { nodes } = adapter ? rewrite(graph, { adapter }).graph : graph;
  const values = runNodes({ nodes, tensors: graph.tensors }, data);
  expect([...builder.gradients.keys()]).toEqual(PATHS);
  for (const [path, id] of builder.gradients) {
    const numeric = numericGradient(total, data.get(builder.variables.get(path)!)!);
    expect(
      numeric.some((value) => Math.abs(value) > 1e-3),
      path,
    ).toBe(true);
    expectClose(values.get(id)!, numeric, tolerances.finiteDifference, `the gradient of ${path}`);
  }
  return nodes.map(({ op }) => op);
}

/** How many nodes of an op there are. */
const count = (order: readonly string[], op: string) => order.filter((each) => each === op).length;

describe.each([undefined, "software"] as const)("gradients of a program, rewritten for %s", (adapter) => {
  it.each([
    ["by their weights", { left: { weight: 0.75 }, right: { weight: 2 } }],
    ["with weights below 0", { left: { weight: 1 }, right: { weight: -0.5 } }],
  ])("are those of all outputs' losses added up, %s, through a layer that they share", (_, outputs) => {
    const order = expectGradients(measuresOf(outputs), adapter);
    const unfused = adapter ? 0 : 2;
    expect(count(order, "softmaxCrossEntropyGradient")).toBe(unfused);
    expect(count(order, "batchMeanGradient")).toBe(unfused);
    // The shared layer is read twice, and its output by two.
    expect(count(order, "denseFilterGradient")).toBe(4);
  });

  it("are those of a loss that a user doubles: its gradient is not a known constant, and made apart", () => {
    const order = expectGradients(measuresOf({ left: { loss: doubled } }), adapter);
    expect(count(order, "softmaxCrossEntropyGradient")).toBe(adapter ? 1 : 2);
    expect(count(order, "softmaxCrossEntropy")).toBe(2);
  });

  it("are those of two losses on one output", () => {
    const order = expectGradients(measuresOf({ left: { loss: added(rows, rows), weight: 0.5 } }), adapter);
    expect(count(order, "softmaxCrossEntropy")).toBe(3);
    expectGradients(measuresOf({ left: { loss: added(rows, doubled) } }), adapter);
  });
});

describe("a frozen layer", () => {
  const program = (trainable: { shared: boolean; heads: boolean }) => {
    const of = twoByTwo(trainable);
    const optimizer = sgd({ momentum: 0.9 });
    const measures = measuresOf();
    const options = { network: of, capacity: BATCH, columns: inputsOf(of), adapter: "software", choices: {} } as const;
    const made = trainingProgram({ ...options, measures, optimizer });
    const { steps, buffers } = made.plan;
    const written = steps.flatMap(({ shader, buffers: used }) =>
      used.flatMap((at, i) => (shader.bindings[i]!.access === "write" ? (buffers[at]!.bound ?? []) : [])),
    );
    const changed = [...made.variables].filter(([, id]) => written.includes(id)).map(([path]) => path);
    const all = variablesOf(of, optimizer, measures).filter(({ role }) => role === "slot");
    return { ...made, changed: changed.sort(), slots: all.map(({ path }) => path) };
  };

  it.each([
    ["at the end", { shared: true, heads: false }, PATHS.slice(0, 2)],
    ["at the beginning", { shared: false, heads: true }, PATHS.slice(2)],
  ])("%s has no gradient, no slot and no update", (_, trainable, paths) => {
    const { gradients, variables, changed, slots, plan } = program(trainable);
    expect([...gradients.keys()]).toEqual(paths);
    expect(slots).toEqual(paths.map((path) => `${path}/momentum`));
    expect([...variables.keys()].filter((path) => path.endsWith("momentum"))).toEqual(slots);
    expect(changed).toEqual([...paths, ...slots, "means", "state"].sort());
    const filters = plan.steps.filter(({ kernel }) => kernel.includes("dense_filter_gradient"));
    expect(filters).toHaveLength(2);
  });

  it("is not all there may be", () => {
    const { code, message } = failure(() => program({ shared: false, heads: false }));
    expect(code).toBe("state");
    expect(message).toContain("no trainable parameters");
  });
});

describe("the means of losses and metrics", () => {
  const some = (number: number): Metric[] =>
    Array.from({ length: number }, (_, i) => ({ ...metricNamed("accuracy"), name: `metric_${i}` }));
  const made = (number: number) => {
    const measures = measuresOf({ left: { metrics: some(number) } });
    const builder = built([...toGradients(measures), stages.metrics(measures), stages.advance]);
    const adding = builder.graph.nodes.filter(({ op }) => op === "advance" || op === "accumulateMeans");
    return { builder, measures, adding };
  };

  it.each([
    [2, [["advance", 0, 4]]],
    [
      3,
      [
        ["accumulateMeans", 0, 4],
        ["advance", 4, 1],
      ],
    ],
    [
      6,
      [
        ["accumulateMeans", 0, 4],
        ["advance", 4, 4],
      ],
    ],
    [
      7,
      [
        ["accumulateMeans", 0, 4],
        ["accumulateMeans", 4, 4],
        ["advance", 8, 1],
      ],
    ],
  ])("of two losses and %i metrics are added up by fours, the last by the step's end", (number, want) => {
    const { builder, measures, adding } = made(number);
    const values = (node: Node) => Object.keys(node.inputs).filter((name) => name.startsWith("values_")).length;
    expect(adding.map((node) => [node.op, node.attributes.first, values(node)])).toEqual(want);
    const means = builder.variables.get("means")!;
    for (const { inputs } of adding) expect(inputs.means).toBe(means);
    expect(builder.graph.tensors[means]!.shape).toEqual([(2 + number) * meanLayout().words]);
    expect(measures.means).toHaveLength(2 + number);
  });

  it.each(["software", "gpu"] as const)("are all added up before the state moves on, on %s", (adapter) => {
    const { measures } = made(7);
    const options = { network, capacity: BATCH, columns: inputsOf(network), adapter, choices: {} };
    const { plan } = trainingProgram({ ...options, measures, optimizer: sgd() });
    expect(plan.steps.slice(-3).map(({ kernel }) => kernel)).toEqual([
      "accumulate_means",
      "accumulate_means",
      "advance",
    ]);
  });

  it("are a number for each sample: a metric without accumulators must give one", () => {
    const none: Metric = { name: "none", call: () => undefined };
    const measures = measuresOf({ left: { metrics: [none] } });
    const { code, message } = failure(() => built([...toGradients(measures), stages.metrics(measures)]));
    expect(code).toBe("value");
    for (const word of ['"none"', `[${BATCH}]`]) expect(message).toContain(word);
  });
});

describe("a metric with accumulators", () => {
  const tally = defineOp({
    name: "tally",
    inputs: ["x", "state", "counts", "total"],
    outputs: [],
    infer: () => ({}),
    updates: ["counts", "total"],
  });
  const metric: Metric = {
    name: "own",
    accumulators: ([size]) => [
      { name: "counts", shape: [size!, 2], dtype: "u32" },
      { name: "total", shape: [1] },
    ],
    call: ({ output, state, accumulators: { counts, total }, add }) => {
      add(tally, { x: output, state, counts: counts!, total: total! });
      return undefined;
    },
    result: ({ counts, total }) => total![0]! / counts![1]!,
  };
  const measures = measuresOf({ left: { metrics: [metric, metricNamed("accuracy")] }, right: { metrics: [metric] } });
  const builder = built([...toGradients(measures), stages.metrics(measures), stages.advance]);

  it("has a variable for each, by the output's name and its own, and changes them in place", () => {
    const own = measures.variables.filter(({ path }) => path !== "means");
    expect(own).toEqual([
      { path: "left_own/counts", shape: [3, 2], dtype: "u32", role: "metric", trainable: false },
      { path: "left_own/total", shape: [1], dtype: "f32", role: "metric", trainable: false },
      { path: "right_own/counts", shape: [2, 2], dtype: "u32", role: "metric", trainable: false },
      { path: "right_own/total", shape: [1], dtype: "f32", role: "metric", trainable: false },
    ]);
    const nodes = builder.graph.nodes.filter(({ op }) => op === "tally");
    expect(nodes.flatMap(({ updates }) => updates)).toEqual(own.map(({ path }) => builder.variables.get(path)));
    expect(nodes.map(({ inputs }) => inputs.x)).toEqual(builder.outputs);
    // What rewriting keeps: nothing reads them, but they change something.
    expect(
      count(
        rewrite(builder.graph).graph.nodes.map(({ op }) => op),
        "tally",
      ),
    ).toBe(2);
  });

  it("has no mean, and its figure is what it makes of what it added up", () => {
    expect(measures.means.map(({ output, metric }) => `${output}/${metric?.name}`)).toEqual([
      "left/undefined",
      "right/undefined",
      "left/accuracy",
    ]);
    const mean = (sum_high: number) => meanLayout().write({ sum_high, sum_low: 0, samples: 2, steps: 1, bad_step: 0 });
    const floats = (value: number) => new Uint32Array(Float32Array.of(value).buffer);
    const words = [mean(4), mean(6), mean(1), [0, 4, 0, 0, 0, 0], floats(2), [0, 8, 0, 0], floats(2)];
    const { logs, samples } = measures.decode(Uint32Array.from(words.flatMap((part) => [...part])).buffer);
    expect(logs).toEqual({
      loss: 5,
      left_loss: 2,
      right_loss: 3,
      left_own: 0.5,
      left_accuracy: 0.5,
      right_own: 0.25,
    });
    expect(samples).toBe(2);
  });
});

describe("gathers", () => {
  const measures = measuresOf();

  it("are one node a port, bound by the names of inputs and outputs", () => {
    const { graph, ports, rows } = built([stages.gather({ shuffled: true, measures })]);
    expect([...ports].map(([key, id]) => [key, graph.tensors[id]!.name])).toEqual([
      ["input 0", "samples a"],
      ["input 1", "samples b"],
      ["label 0", "labels left"],
      ["label 1", "labels right"],
      ["order 0", "order"],
    ]);
    expect(graph.nodes.map(({ op }) => op)).toEqual(Array(4).fill("batchGather"));
    const keys = ["input 0", "input 1", "label 0", "label 1"];
    expect(graph.nodes.map(({ inputs }) => inputs.source)).toEqual(keys.map((key) => ports.get(key)));
    expect(graph.nodes.map(({ outputs }) => outputs.rows)).toEqual(keys.map((key) => rows.get(key)));
    expect(["label 0", "label 1"].map((key) => graph.tensors[rows.get(key)!])).toMatchObject([
      { shape: [BATCH, 3], dtype: "f32" },
      { shape: [BATCH, 1], dtype: "u32" },
    ]);
  });

  it("read in order where nothing is shuffled, and no labels where none are measured", () => {
    const { graph, ports } = built([stages.gather({ shuffled: false })]);
    expect([...ports.keys()]).toEqual(["input 0", "input 1"]);
    for (const { inputs } of graph.nodes) expect(inputs).not.toHaveProperty("order");
  });

  it.each([
    [8, 3],
    [10, 4],
  ])("share a dispatch on processors, too, as many as %i buffers allow: %i", (most, together) => {
    const limits = { maxStorageBuffersPerShaderStage: most, maxComputeWorkgroupStorageSize: 16384 };
    const options = { network, capacity: BATCH, columns: inputsOf(network), adapter: "software", choices: {} } as const;
    const kernels = (unmerged: boolean) =>
      trainingProgram({ ...options, limits, measures, optimizer: sgd(), unmerged }).plan.steps.map(
        ({ kernel }) => kernel,
      );
    const alone: string[] = Array(4).fill("batch_gather");
    const shared = [alone.slice(0, together), alone.slice(together)].filter(({ length }) => length > 0);
    expect(kernels(false).filter((kernel) => kernel.includes("batch_gather"))).toEqual(
      shared.map((kernels) => kernels.join(" + ")),
    );
    expect(kernels(false).filter((kernel) => kernel.includes(" + "))).toHaveLength(1);
    expect(kernels(true).slice(0, 4)).toEqual(alone);
  });
});

describe("gradient transforms", () => {
  const change = defineOp({ name: "change", inputs: ["x"], outputs: ["y"], infer: ({ x }) => ({ y: x }) });

  it("stand between gradients and updates, one after the other", () => {
    const seen: string[][] = [];
    const transform = (name: string, to: (path: string) => boolean) => ({
      name,
      transform: ({
        gradients,
        add,
        shapeOf,
      }: Parameters<NonNullable<ReturnType<typeof sgd>["transforms"]>[0]["transform"]>[0]) => {
        seen.push([...gradients.keys()]);
        return new Map(
          [...gradients].map(([path, x]) => {
            expect(shapeOf(x)).toEqual(network.parameters.find((parameter) => parameter.path === path)!.shape);
            return [path, to(path) ? add(change, { x }).y : x] as const;
          }),
        );
      },
    });
    const all = transform("all", () => true);
    const biases = transform("biases", (path) => path.endsWith("bias"));
    const optimizer = { ...sgd(), transforms: [all, biases] };
    const before = built(toGradients(measuresOf())).gradients;
    const { graph } = built([
      ...toGradients(measuresOf()),
      stages.gradientTransforms(optimizer),
      stages.updates(optimizer),
    ]);
    expect(seen).toEqual([PATHS, PATHS]);
    const maker = (id: TensorId) => graph.nodes.find(({ outputs }) => outputs.y === id && graph.tensors[id]);
    const steps = graph.nodes.filter(({ op }) => op === "sgd");
    expect(steps.map(({ name }) => name)).toEqual(PATHS.map((path) => `${path}/sgd`));
    steps.forEach(({ inputs }, i) => {
      const path = PATHS[i]!;
      let changes = 0;
      let id = inputs.g!;
      for (let node = maker(id); node?.op === "change"; node = maker(id)) {
        changes++;
        id = node.inputs.x!;
      }
      expect([path, changes, id]).toEqual([path, path.endsWith("bias") ? 2 : 1, before.get(path)]);
    });
  });
});
