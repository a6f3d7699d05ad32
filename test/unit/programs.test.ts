import { describe, expect, it } from "vitest";
import type { TensorId } from "../../src/graph/graph.ts";
import { dense, type Layer } from "../../src/index.ts";
import { lossNamed } from "../../src/losses/losses.ts";
import { type Optimizer, sgd } from "../../src/optimizers/optimizer.ts";
import {
  evaluationProgram,
  outputsProgram,
  type Program,
  type ProgramOptions,
  predictionProgram,
  trainingProgram,
} from "../../src/program/programs.ts";
import { metricsLayout } from "../../src/training/metrics-layout.ts";
import { articleLayers } from "../support/models.ts";
import { failure, networkOf } from "./building.ts";

const network = networkOf(articleLayers());
const options: ProgramOptions = {
  network,
  capacity: 32,
  data: { sampleShape: [28, 28, 1], sampleDtype: "u8", scale: 1 / 255 },
  adapter: "software",
  choices: {},
};
const loss = lossNamed("categoricalCrossentropy");
const sparse = lossNamed("sparseCategoricalCrossentropy");
const train = (change: object = {}) => trainingProgram({ ...options, loss, optimizer: sgd(), ...change });

/** Label of each tensor that the caller binds, by its id. */
const labels = ({ plan }: Program) =>
  new Map(plan.buffers.flatMap(({ bound, label }) => (bound === undefined ? [] : [[bound, label] as const])));
const ids = ({ tensors: t }: Program): TensorId[] =>
  [
    ...[t.state, t.samples, ...t.parameters, t.labels, t.order, t.metrics, t.predictions],
    ...(t.hyperparameters ?? []),
    ...(t.slots ?? []),
  ].filter((id) => id !== undefined);
const uses = ({ plan }: Program, kernel: string) => {
  const step = plan.steps.find((each) => each.kernel === kernel)!;
  return Object.fromEntries(step.shader.bindings.map(({ name }, at) => [name, plan.buffers[step.buffers[at]!]!.bound]));
};

describe("a training program", () => {
  const program = train();

  it("names every tensor that the caller has to bring, and no other", () => {
    expect([...labels(program).keys()].sort((a, b) => a - b)).toEqual(ids(program).sort((a, b) => a - b));
    const named = labels(program);
    const { tensors } = program;
    expect(tensors.parameters.map((id) => named.get(id))).toEqual(network.parameters.map(({ path }) => path));
    for (const name of ["state", "samples", "labels", "order", "metrics"] as const) {
      expect(named.get(tensors[name]!)).toBe(name);
    }
    expect(tensors.hyperparameters!.map((id) => named.get(id))).toEqual(["learningRate"]);
    expect(tensors.slots).toEqual([]);
    expect(tensors.predictions).toBeUndefined();
    expect(program.capacity).toBe(32);
  });

  it("gathers samples in the order it is given, and ends with the metrics", () => {
    const { tensors } = program;
    expect(uses(program, "batch_gather")).toMatchObject({
      state: tensors.state,
      order: tensors.order,
      source_x: tensors.samples,
      source_y: tensors.labels,
    });
    expect(uses(program, "advance")).toMatchObject({ metrics: tensors.metrics, state: tensors.state });
    expect(program.plan.steps.at(-1)!.kernel).toBe("advance");
  });

  it("reads bytes or floats, and multiplies them", () => {
    const gather = ({ plan }: Program) => plan.steps[0]!.shader.code;
    expect(gather(program)).toContain("const X_BYTES: bool = true;");
    expect(gather(program)).toContain(`const SCALE: f32 = ${1 / 255}f;`);
    const floats = train({ data: { sampleShape: [28, 28, 1], sampleDtype: "f32", scale: 1 } });
    expect(gather(floats)).toContain("const X_BYTES: bool = false;");
    expect(gather(floats)).toContain("const SCALE: f32 = 1.0f;");
  });

  it("binds class numbers where the loss takes them", () => {
    const bindings = (made: Program) => Object.keys(uses(made, "softmax_cross_entropy"));
    expect(bindings(program)).toContain("t");
    const made = train({ loss: sparse });
    expect(bindings(made)).toContain("class_of");
    expect(bindings(made)).not.toContain("t");
    expect(made.plan.steps[0]!.shader.code).toContain("const Y_SIZE: u32 = 1u;");
  });

  it("keeps the gradients where they are asked for", () => {
    const made = train({ keepGradients: true });
    const { gradients } = made.tensors;
    expect(gradients).toHaveLength(8);
    const buffers = gradients!.map((id) => made.plan.bufferOf.get(id));
    expect(new Set(buffers).size).toBe(8);
    expect(buffers).not.toContain(undefined);
    gradients!.forEach((id, i) => {
      const size = network.parameters[i]!.shape.reduce((a, b) => a * b, 4);
      expect(made.plan.buffers[made.plan.bufferOf.get(id)!]!.bytes).toBeGreaterThanOrEqual(size);
    });
    // Without being asked for, they are never stored.
    expect(program.tensors.gradients!.map((id) => program.plan.bufferOf.get(id))).toEqual(Array(8).fill(undefined));
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
      step: ({ parameter, gradient, slots: [velocity, steps], hyperparameter, add }) => {
        add("sgd", [velocity!, gradient, hyperparameter("decay")]);
        add("sgd", [steps!, steps!, hyperparameter("rate")]);
        add("sgd", [parameter, velocity!, hyperparameter("rate")]);
      },
    };
    const small = networkOf([dense({ units: 3, activation: "softmax", inputShape: [4] })]);
    const data = { sampleShape: [4], sampleDtype: "f32", scale: 1 } as const;
    const made = trainingProgram({ ...options, network: small, data, loss, optimizer: momentum });
    const named = labels(made);
    expect(made.tensors.hyperparameters!.map((id) => named.get(id))).toEqual(["rate", "decay"]);
    expect(made.tensors.slots!.map((id) => named.get(id))).toEqual([
      ...["dense/kernel/velocity", "dense/kernel/steps"],
      ...["dense/bias/velocity", "dense/bias/steps"],
    ]);
  });

  it("cannot be made where an op of a layer has no gradient", () => {
    const op = { name: "round", infer: ([x]: readonly unknown[]) => [x] } as never;
    const own: Layer = {
      type: "Round",
      ops: [op],
      parameters: () => [],
      call: ({ add, input }) => add("round", [input])[0]!,
    };
    const data = { sampleShape: [4], sampleDtype: "f32", scale: 1 } as const;
    const layers = [dense({ units: 3, inputShape: [4] }), own, dense({ units: 3, activation: "softmax" })];
    const small = networkOf(layers);
    const call = () => trainingProgram({ ...options, network: small, data, loss, optimizer: sgd() });
    expect(failure(call).message).toContain('"round"');
  });
});

describe("an evaluation program", () => {
  const program = evaluationProgram({ ...options, loss });

  it("has labels and metrics, and neither order nor what an optimizer needs", () => {
    const { tensors } = program;
    expect([...labels(program).keys()].sort((a, b) => a - b)).toEqual(ids(program).sort((a, b) => a - b));
    expect(Object.keys(tensors).sort()).toEqual(["labels", "metrics", "parameters", "samples", "state"]);
    expect(uses(program, "batch_gather")).not.toHaveProperty("order");
  });

  it("writes to no parameter", () => {
    const { plan, tensors } = program;
    for (const { shader, buffers } of plan.steps) {
      const written = buffers.filter((_, at) => shader.bindings[at]!.access === "write");
      for (const index of written) expect(tensors.parameters).not.toContain(plan.buffers[index]!.bound);
    }
  });
});

describe("a prediction program", () => {
  const program = predictionProgram(options);

  it("has a place for all predictions, and neither labels nor metrics", () => {
    const { tensors } = program;
    expect([...labels(program).keys()].sort((a, b) => a - b)).toEqual(ids(program).sort((a, b) => a - b));
    expect(Object.keys(tensors).sort()).toEqual(["parameters", "predictions", "samples", "state"]);
    expect(uses(program, "batch_scatter")).toMatchObject({ rows: tensors.predictions, state: tensors.state });
    expect(uses(program, "advance")).toEqual({ state: tensors.state });
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
    const names = network.built.map(({ name }) => name);
    const { tensors, plan } = outputsProgram(options, names);
    expect([...tensors.outputs!.keys()]).toEqual(names);
    const buffers = [...tensors.outputs!.values()].map((id) => plan.bufferOf.get(id)!);
    expect(new Set(buffers).size).toBe(names.length - 1);
    expect(buffers[names.indexOf("flatten")]).toBe(buffers[names.indexOf("max_pooling2d_1")]);
    network.built.forEach(({ outputShape }, i) => {
      const bytes = outputShape.reduce((a, b) => a * b, options.capacity * 4);
      expect(plan.buffers[buffers[i]!]!.bytes).toBeGreaterThanOrEqual(bytes);
    });
  });

  it("reads the state and does not move it on", () => {
    const { tensors, plan } = outputsProgram(options, ["dense"]);
    for (const { shader, buffers } of plan.steps) {
      const written = buffers.filter((_, at) => shader.bindings[at]!.access === "write");
      for (const index of written) expect(plan.buffers[index]!.bound).toBeUndefined();
    }
    expect(Object.keys(tensors).sort()).toEqual(["outputs", "parameters", "samples", "state"]);
  });
});

describe("metrics", () => {
  it("are the words that the shader counts", () => {
    expect(metricsLayout().words).toBe(6);
    const { plan, tensors } = train();
    expect(plan.buffers.find(({ bound }) => bound === tensors.metrics)!.bytes).toBe(metricsLayout().bytes);
  });
});
