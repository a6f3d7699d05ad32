import { expect, it } from "vitest";
import { defineKernel, defineOp, dense, dispatch, type Loss, sgd } from "../../src/index.ts";
import { Network } from "../../src/network/network.ts";
import { evaluationProgram, trainingProgram } from "../../src/program/programs.ts";

const kernel = defineKernel<{ x: "read"; t: "read"; loss: "write"; correct: "write"; dx: "write" }>(/* wgsl */ `
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(0) var<storage, read> t: array<f32>;
@group(0) @binding(0) var<storage, read_write> loss: array<f32>;
@group(0) @binding(0) var<storage, read_write> correct: array<u32>;
@group(0) @binding(0) var<storage, read_write> dx: array<f32>;
@compute @workgroup_size(1)
fn mean_square() {
  dx[0] = x[0] - t[0];
  loss[0] = 0.5f * dx[0] * dx[0];
  correct[0] = 0u;
}`);

const meanSquare = defineOp({
  name: "meanSquare",
  infer: ([x]) => [{ shape: [1], dtype: "f32" }, { shape: [1], dtype: "u32" }, x!],
  gradient: ({ outputs: [, , dX] }) => [dX],
  lower: ({ inputs: [x, t], outputs: [loss, correct, dX] }) => [
    dispatch(kernel, {
      bind: { x: x!.id, t: t!.id, loss: loss!.id, correct: correct!.id, dx: dX!.id },
      workgroups: [1, 1, 1],
    }),
  ],
});

const loss: Loss = {
  name: "meanSquare",
  ops: [meanSquare],
  labels: (output) => ({ shape: output, dtype: "f32" }),
  check: () => {},
  build: (_, { output, labels, add }) => {
    const [rows, correct] = add("meanSquare", [output, labels]);
    return { loss: rows!, correct: correct! };
  },
};

it("a loss of one's own brings its ops, to training and to evaluation", () => {
  const network = new Network();
  network.add(dense({ units: 1, inputShape: [4] }));
  const data = { sampleShape: [4], sampleDtype: "f32", scale: 1 } as const;
  const options = { network, capacity: 1, data, adapter: "software", choices: {}, loss } as const;
  const training = trainingProgram({ ...options, optimizer: sgd() });
  for (const { plan } of [training, evaluationProgram(options)]) {
    expect(plan.steps.map((step) => step.kernel)).toContain("mean_square");
  }
});
