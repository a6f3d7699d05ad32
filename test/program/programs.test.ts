import { describe, expect, it } from "vitest";
import { defineOp } from "../../src/graph/op.ts";
import type { TensorId } from "../../src/graph/tensor.ts";
import { dense, type LayerSpec } from "../../src/index.ts";
import { meanLayout } from "../../src/ops/batch/means.ts";
import { sgd as sgdOp } from "../../src/ops/updates/sgd.ts";
import type { Optimizer } from "../../src/optimizers/optimizer.ts";
import { sgd } from "../../src/optimizers/sgd.ts";
import { portKey } from "../../src/program/builder.ts";
import {
  evaluationProgram,
  outputsProgram,
  type Program,
  type ProgramOptions,
  predictionProgram,
  type TrainingOptions,
  trainingProgram,
} from "../../src/program/programs.ts";
import { failure, networkOf } from "../support/building.ts";
import { articleLayers } from "../support/models.ts";
import { inputsOf, measuresOf } from "../support/programs.ts";

const network = networkOf(articleLayers());
const options: ProgramOptions = {
  network,
  capacity: 32,
  columns: inputsOf(network, { dtype: "u8", scale: 1 / 255 }),
  adapter: "software",
  choices: {},
};
const measures = measuresOf(network);
const sparse = measuresOf(network, "sparseCategoricalCrossentropy");
const train = (change: Partial<ProgramOptions & TrainingOptions> = {}) =>
  trainingProgram({ ...options, measures, optimizer: sgd(), ...change });

/** Label of each tensor that the caller binds, by its id. */
const labels = ({ plan }: Program) =>
  new Map(plan.buffers.flatMap(({ bound, label }) => (bound === undefined ? [] : [[bound, label] as const])));
/** What a program says it binds, variables and ports. */
const ids = ({ variables, ports }: Program): TensorId[] => [...variables.values(), ...ports.values()];
const ascending = (numbers: Iterable<TensorId>) => [...numbers].sort((a, b) => a - b);
const paths = network.parameters.map(({ path }) => path);
const uses = ({ plan }: Program, kernel: string) => {
  const step = plan.steps.find((each) => each.kernel.split(" + ").includes(kernel))!;
  return Object.fromEntries(step.shader.bindings.map(({ name }, at) => [name, plan.buffers[step.buffers[at]!]!.bound]));
};

describe("a training program", () => {
  const program = train();

  it("names every tensor that the caller has to bring, and no other", () => {
    expect(ascending(labels(program).keys())).toEqual(ascending(ids(program)));
    const named = labels(program);
    const { variables, ports } = program;
    // Variables bear their paths, and ports the names of what they are bound to.
    for (const [path, id] of variables) expect(named.get(id)).toBe(path);
    expect([...variables.keys()]).toEqual(["state", ...paths, "learningRate", "means"]);
    expect([...ports].map(([key, id]) => [key, named.get(id)])).toEqual([
      [portKey("input"), "samples"],
      [portKey("label"), "labels"],
      [portKey("order"), "order"],
    ]);
    expect(program.capacity).toBe(32);
  });

  it("gathers samples in the order it is given, and ends with the metrics", () => {
    const { variables, ports } = program;
    const state = variables.get("state");
    const order = ports.get(portKey("order"));
    expect(uses(program, "batch_gather")).toMatchObject({
      part1_state: state,
      part1_order: order,
      part1_source: ports.get(portKey("input")),
      part2_source: ports.get(portKey("label")),
    });
    expect(uses(program, "advance")).toMatchObject({ means: variables.get("means"), state });
    expect(program.plan.steps.at(-1)!.kernel).toBe("advance");
  });

  it("reads bytes or floats, and multiplies them", () => {
    const gather = (made: Program) => made.plan.steps.find(({ node }) => node === "predict/batchGather")!.shader.code;
    const bytes = predictionProgram(options);
    expect(gather(bytes)).toContain("const BYTES: bool = true;");
    expect(gather(bytes)).toContain(`const SCALE: f32 = ${1 / 255}f;`);
    const floats = predictionProgram({ ...options, columns: inputsOf(network) });
    expect(gather(floats)).toContain("const BYTES: bool = false;");
    expect(gather(floats)).toContain("const SCALE: f32 = 1.0f;");
    // The labels that share its dispatch are neither bytes nor scaled.
    const labels = train({ unmerged: true }).plan.steps.find(({ node }) => node === "train/batchGather_1")!.shader.code;
    expect(labels).toContain("const BYTES: bool = false;");
    expect(labels).toContain("const SCALE: f32 = 1.0f;");
  });

  it("binds class numbers where the loss takes them", () => {
    const bindings = (made: Program) => Object.keys(uses(made, "softmax_cross_entropy"));
    expect(bindings(program)).toContain("t");
    const made = train({ measures: sparse, unmerged: true });
    expect(bindings(made)).toContain("class_of");
    expect(bindings(made)).not.toContain("t");
    const { shader } = made.plan.steps.find(({ node }) => node === "train/batchGather_1")!;
    expect(shader.code).toContain("const WORDS: bool = true;");
    expect(shader.code).toContain("const SIZE: u32 = 1u;");
  });

  it("keeps the gradients where they are asked for", () => {
    const made = train({ keepGradients: true });
    const { gradients } = made;
    expect([...gradients.keys()]).toEqual(paths);
    const buffers = [...gradients.values()].map((id) => made.plan.bufferOf.get(id));
    expect(new Set(buffers).size).toBe(8);
    expect(buffers).not.toContain(undefined);
    for (const { path, shape } of network.parameters) {
      const id = gradients.get(path)!;
      const size = shape.reduce((a, b) => a * b, 4);
      expect(made.plan.buffers[made.plan.bufferOf.get(id)!]!.bytes).toBeGreaterThanOrEqual(size);
    }
    // Without being asked for, they are never stored.
    const never = [...program.gradients.values()].map((id) => program.plan.bufferOf.get(id));
    expect(never).toEqual(Array(8).fill(undefined));
  });

  it("repeats the tiles that it is given", () => {
    const choices = { dense: { blocksM: 1, blocksN: 1, workgroupM: 8, workgroupN: 8, slices: 1 } };
    expect(train({ choices }).plan.choices).toEqual({ ...program.plan.choices, ...choices });
  });

  it("takes an optimizer's slots and rates", () => {
    const momentum: Optimizer = {
      name: "momentum",
      hyperparameters: { rate: 0.1, decay: 0.9 },
      slots: (shape) => [
        { name: "velocity", shape },
        { name: "steps", shape: [1] },
      ],
      step: ({ parameter, gradient, slots: { velocity, steps }, hyperparameter, add }) => {
        add(sgdOp, { p: velocity!, g: gradient, rate: hyperparameter("decay") });
        add(sgdOp, { p: steps!, g: steps!, rate: hyperparameter("rate") });
        add(sgdOp, { p: parameter, g: velocity!, rate: hyperparameter("rate") });
      },
    };
    const small = networkOf([dense({ units: 3, activation: "softmax", inputShape: [4] })]);
    const training = { columns: inputsOf(small), measures: measuresOf(small), optimizer: momentum };
    const made = trainingProgram({ ...options, network: small, ...training });
    const named = labels(made);
    expect(ascending(named.keys())).toEqual(ascending(ids(made)));
    const rest = [...made.variables].filter(
      ([path]) => !["state", "means", "dense/kernel", "dense/bias"].includes(path),
    );
    expect(rest.map(([, id]) => named.get(id))).toEqual([
      "rate",
      "decay",
      "dense/kernel/velocity",
      "dense/kernel/steps",
      "dense/bias/velocity",
      "dense/bias/steps",
    ]);
  });

  it("cannot be made where an op of a layer has no gradient", () => {
    const op = defineOp({ name: "round", inputs: ["x"], outputs: ["y"], infer: ({ x }) => ({ y: x }) });
    const own: LayerSpec = { type: "Round", call: ({ add, input }) => add(op, { x: input }).y };
    const layers = [dense({ units: 3, inputShape: [4] }), own, dense({ units: 3, activation: "softmax" })];
    const small = networkOf(layers);
    const training = { columns: inputsOf(small), measures: measuresOf(small), optimizer: sgd() };
    const call = () => trainingProgram({ ...options, network: small, ...training });
    expect(failure(call).message).toContain('"round"');
  });
});

describe("an evaluation program", () => {
  const program = evaluationProgram({ ...options, measures });

  it("has labels and metrics, and neither order nor what an optimizer needs", () => {
    expect(ascending(labels(program).keys())).toEqual(ascending(ids(program)));
    expect([...program.variables.keys()]).toEqual(["state", ...paths, "means"]);
    expect([...program.ports.keys()]).toEqual([portKey("input"), portKey("label")]);
    expect(Object.keys(uses(program, "batch_gather")).filter((name) => name.endsWith("order"))).toEqual([]);
    expect(program.measured).toBe(true);
  });

  it("writes to no parameter", () => {
    const { plan, variables } = program;
    const parameters = paths.map((path) => variables.get(path));
    for (const { shader, buffers } of plan.steps) {
      const written = buffers.filter((_, at) => shader.bindings[at]!.access === "write");
      for (const index of written) expect(parameters).not.toContain(plan.buffers[index]!.bound ?? -1);
    }
  });
});

describe("a prediction program", () => {
  const program = predictionProgram(options);

  it("has a place for all predictions, and neither labels nor metrics", () => {
    const { variables, ports } = program;
    const state = variables.get("state");
    expect(ascending(labels(program).keys())).toEqual(ascending(ids(program)));
    expect([...variables.keys()]).toEqual(["state", ...paths]);
    expect([...ports.keys()]).toEqual([portKey("input"), portKey("prediction")]);
    expect(uses(program, "batch_scatter")).toMatchObject({ rows: ports.get(portKey("prediction")), state });
    expect(uses(program, "advance")).toEqual({ state });
    expect(program.measured).toBe(false);
  });

  it("needs no loss, and no softmax at the end", () => {
    const images = networkOf(articleLayers().slice(0, 2));
    const { plan } = predictionProgram({ ...options, network: images });
    expect(plan.steps.map(({ kernel }) => kernel)).toEqual(["batch_gather", "conv2d", "batch_scatter", "advance"]);
  });
});

describe("an outputs program", () => {
  const kernels = (layers: readonly string[]) =>
    outputsProgram(options, layers).plan.steps.map(({ kernel }) => kernel.replace(/_.*/, ""));

  it("keeps what is asked for: a convolution apart from its pooling, and nothing of later layers", () => {
    expect(kernels(["max_pooling2d"])).toEqual(["batch", "conv2d"]);
    expect(kernels(["conv2d", "max_pooling2d"])).toEqual(["batch", "conv2d", "max"]);
    expect(kernels(["conv2d"])).toEqual(["batch", "conv2d"]);
  });

  it("gives each output a buffer of its own, to the end; a view has that of what it views", () => {
    const names = network.layers.map(({ name }) => name);
    const { layerOutputs, plan } = outputsProgram(options, names);
    expect([...layerOutputs.keys()]).toEqual(names);
    const buffers = [...layerOutputs.values()].map((id) => plan.bufferOf.get(id)!);
    expect(new Set(buffers).size).toBe(names.length - 1);
    expect(buffers[names.indexOf("flatten")]).toBe(buffers[names.indexOf("max_pooling2d_1")]);
    network.layers.forEach(({ outputShapes }, i) => {
      const bytes = outputShapes[0]!.reduce((a, b) => a * b, options.capacity * 4);
      expect(plan.buffers[buffers[i]!]!.bytes).toBeGreaterThanOrEqual(bytes);
    });
  });

  it("reads the state and does not move it on", () => {
    const { variables, ports, plan } = outputsProgram(options, ["dense"]);
    for (const { shader, buffers } of plan.steps) {
      const written = buffers.filter((_, at) => shader.bindings[at]!.access === "write");
      for (const index of written) expect(plan.buffers[index]!.bound).toBeUndefined();
    }
    expect([...variables.keys()]).toEqual(["state", ...paths]);
    expect([...ports.keys()]).toEqual([portKey("input")]);
  });
});

describe("means", () => {
  it("are a struct of the shader's for each loss and metric", () => {
    const bytes = (of: Program) => of.plan.buffers.find(({ bound }) => bound === of.variables.get("means"))!.bytes;
    expect(bytes(train())).toBe(2 * meanLayout().bytes);
    expect(bytes(train({ measures: measuresOf(network, undefined, []) }))).toBe(meanLayout().bytes);
  });
});
