import { expect, it } from "vitest";
import { defineKernel, defineOp, dense, dispatch, type Loss, sgd } from "../../src/index.ts";
import type { Measures } from "../../src/program/measures.ts";
import { evaluationProgram, type Program, type ProgramOptions, trainingProgram } from "../../src/program/programs.ts";
import { failure, networkOf } from "../support/building.ts";
import { inputsOf, measuresOf } from "../support/programs.ts";

const kernel = defineKernel<{ x: "read"; t: "read"; loss: "write" }>(/* wgsl */ `
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(0) var<storage, read> t: array<f32>;
@group(0) @binding(0) var<storage, read_write> loss: array<f32>;
@compute @workgroup_size(1)
fn mean_square() {
  loss[0] = 0.5f * (x[0] - t[0]) * (x[0] - t[0]);
}`);

const gradientKernel = defineKernel<{ x: "read"; t: "read"; dloss: "read"; dx: "write" }>(/* wgsl */ `
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(0) var<storage, read> t: array<f32>;
@group(0) @binding(0) var<storage, read> dloss: array<f32>;
@group(0) @binding(0) var<storage, read_write> dx: array<f32>;
@compute @workgroup_size(1)
fn mean_square_gradient() {
  dx[0] = dloss[0] * (x[0] - t[0]);
}`);

const meanSquareGradient = defineOp({
  name: "meanSquareGradient",
  inputs: ["x", "t", "dloss"],
  outputs: ["dx"],
  infer: ({ x }) => ({ dx: x }),
  lower: ({ inputs, outputs }) => [
    dispatch(gradientKernel, { bind: { ...inputs, ...outputs }, workgroups: [1, 1, 1] }),
  ],
});

const meanSquare = defineOp({
  name: "meanSquare",
  inputs: ["x", "t"],
  outputs: ["loss"],
  infer: ({ x }) => ({ loss: { shape: [x.shape[0]!], dtype: "f32" } }),
  gradient: ({ inputs: { x, t }, gradients, add }) => ({
    x: add(meanSquareGradient, { x, t, dloss: gradients.loss! }).dx,
  }),
  lower: ({ inputs, outputs }) => [dispatch(kernel, { bind: { ...inputs, ...outputs }, workgroups: [1, 1, 1] })],
});

const loss: Loss = {
  name: "meanSquare",
  labels: (output) => ({ shape: output, dtype: "f32" }),
  check: () => {},
  call: ({ output, labels, add }) => add(meanSquare, { x: output, t: labels }).loss,
};

const network = networkOf([dense({ units: 1, inputShape: [4] })]);
const optionsFor = (loss: Loss): ProgramOptions & { readonly measures: Measures } => ({
  network,
  capacity: 1,
  columns: inputsOf(network),
  adapter: "software",
  choices: {},
  measures: measuresOf(network, loss, []),
});
const kernels = ({ plan }: Program) => plan.steps.map((step) => step.kernel).join(" ");

it("a loss of one's own brings its ops: to training with the gradient, to evaluation without", () => {
  const training = kernels(trainingProgram({ ...optionsFor(loss), optimizer: sgd() }));
  const evaluation = kernels(evaluationProgram(optionsFor(loss)));
  for (const text of [training, evaluation]) expect(text).toMatch(/\bmean_square\b/);
  expect(training).toContain("mean_square_gradient");
  expect(evaluation).not.toContain("mean_square_gradient");
});

it("a loss of one's own gives each sample's loss, or is refused in words", () => {
  const wrong: [Loss["call"], RegExp][] = [
    [
      ({ output }) => output,
      /^Loss "meanSquare": call\(\) must return .* for each sample, .* got one of shape \[1, 1\]/,
    ],
    [() => undefined as never, /^Loss "meanSquare": .*got undefined/],
    [({ output, labels, add }) => add(meanSquare, { x: output, t: labels }) as never, /got an object with keys loss/],
  ];
  for (const [call, message] of wrong) {
    const error = failure(() => evaluationProgram(optionsFor({ ...loss, call })));
    expect(error.message).toMatch(message);
  }
});
