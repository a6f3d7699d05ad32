import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  createRuntime,
  defineLayer,
  input,
  type LayerLossCall,
  model,
  ops,
  type Runtime,
  sgd,
  tensor,
} from "../../src/index.ts";
import { randomArray } from "../reference/random.ts";
import { expectClose } from "../support/compare.ts";
import { squaredError } from "../support/squared-error.ts";
import { tolerances } from "../support/tolerances.ts";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime();
});
afterAll(() => runtime.dispose());

const [SAMPLES, BATCH, INPUTS, UNITS, RATE] = [7, 4, 3, 2, 0.05];
const [OF_KERNEL, OF_OUTPUT] = [0.1, 0.25];
const column = (size: number, seed: number) => randomArray(SAMPLES * size, seed);
const [a, b, left, right] = [column(INPUTS, 1), column(INPUTS, 2), column(UNITS, 3), column(UNITS, 4)];
const data = {
  x: { a: tensor(a, [SAMPLES, INPUTS]), b: tensor(b, [SAMPLES, INPUTS]) },
  y: { left: tensor(left, [SAMPLES, UNITS]), right: tensor(right, [SAMPLES, UNITS]) },
};

/** OF_KERNEL * |kernel|^2, and for each use OF_OUTPUT * the mean over the rows in use of |y|^2. */
function penalties({ uses, variables, state, add, shapeOf }: LayerLossCall) {
  const kernel = variables.kernel!;
  const row = add(ops.reshape, { x: kernel }, { shape: [1, INPUTS * UNITS] }).y;
  const square = add(ops.matmul, { a: row, b: row }, { transposeB: true }).c;
  const factor = add(ops.fill, {}, { shape: [1], value: OF_KERNEL }).y;
  const ofKernel = add(ops.multiply, { a: add(ops.reshape, { x: square }, { shape: [1] }).y, b: factor }).c;
  const ofOutputs = uses.map(({ output }) => {
    const ones = add(ops.fill, {}, { shape: [UNITS, 1], value: 1 }).y;
    const sums = add(ops.dense, { x: add(ops.multiply, { a: output, b: output }).c, kernel: ones }).y;
    const x = add(ops.reshape, { x: sums }, { shape: [shapeOf(output)[0]!] }).y;
    return add(ops.batchMean, { state, x }, { weight: OF_OUTPUT }).y;
  });
  return [ofKernel, ...ofOutputs];
}

/** A linear layer, used twice, with a loss for each use. */
function penalized(losses: ((call: LayerLossCall) => readonly number[]) | null = penalties) {
  const linear = defineLayer({
    type: "Penalized",
    variables: () => [{ name: "kernel", shape: [INPUTS, UNITS], initializer: "glorotUniform" }],
    call: ({ input, variables, add }) => add(ops.dense, { x: input, kernel: variables.kernel! }).y,
    ...(losses && { losses }),
  });
  const [first, second] = [input({ shape: [INPUTS], name: "a" }), input({ shape: [INPUTS], name: "b" })];
  return model({ inputs: [first, second], outputs: { left: linear(first), right: linear(second) } });
}
const settings = () => ({ loss: squaredError(), optimizer: sgd({ learningRate: RATE }), runtime });

/** Loss of some rows, and its gradient, by plain loops in float64. */
function lossOf(kernel: ArrayLike<number>, from: number, rows: number) {
  const gradient = Float64Array.from(kernel, (value) => 2 * OF_KERNEL * value);
  let loss = OF_KERNEL * Array.from(kernel).reduce((sum, value) => sum + value ** 2, 0);
  for (const [x, t] of [
    [a, left],
    [b, right],
  ] as const)
    for (let r = from; r < from + rows; r++)
      for (let o = 0; o < UNITS; o++) {
        const weights = [...Array(INPUTS).keys()].map((i) => kernel[i * UNITS + o]!);
        const y = weights.reduce((sum, value, i) => sum + value * x[r * INPUTS + i]!, 0);
        const error = y - t[r * UNITS + o]!;
        loss += (error ** 2 + OF_OUTPUT * y ** 2) / rows;
        for (let i = 0; i < INPUTS; i++)
          gradient[i * UNITS + o]! += (2 * (error + OF_OUTPUT * y) * x[r * INPUTS + i]!) / rows;
      }
  return { loss, gradient };
}

/** Epoch of gradient descent. Returns its figure: the batches' losses, weighed by their rows. */
function epoch(kernel: Float64Array): number {
  let total = 0;
  for (let from = 0; from < SAMPLES; from += BATCH) {
    const rows = Math.min(BATCH, SAMPLES - from);
    const { loss, gradient } = lossOf(kernel, from, rows);
    total += rows * loss;
    for (let i = 0; i < kernel.length; i++) kernel[i]! -= RATE * gradient[i]!;
  }
  return total / SAMPLES;
}

describe("terms of the loss that a layer adds", () => {
  it("are trained by, and part of the loss that is reported, on short batches too", async () => {
    const both = penalized();
    await both.compile(settings());
    const kernel = Float64Array.from((await both.getWeights())[0]!.data);
    const { loss } = await both.evaluate(data.x, data.y, { batchSize: SAMPLES });
    expectClose([loss], [lossOf(kernel, 0, SAMPLES).loss], tolerances.lossCurve, "loss");
    const options = { batchSize: BATCH, epochs: 3, shuffle: false, verbose: 0 } as const;
    const { history } = await both.fit(data.x, data.y, { ...options, validationData: [data.x, data.y] });
    const want = [1, 2, 3].map(() => epoch(kernel));
    expect(Object.keys(history).slice(0, 3)).toEqual(["loss", "left_loss", "right_loss"]);
    expectClose(history.loss, want, tolerances.lossCurve, "losses");
    expectClose((await both.getWeights())[0]!.data, kernel, tolerances.lossCurve, "kernel");
    expect(history.left_loss![0]! + history.right_loss![0]!).toBeLessThan(history.loss[0]!);
    expect(history.val_loss!.at(-1)).toBeGreaterThan(history.val_left_loss!.at(-1)! + history.val_right_loss!.at(-1)!);
    both.dispose();
  });

  it("may be none, which changes no loss", async () => {
    const [none, without] = [penalized(() => []), penalized(null)];
    for (const each of [none, without]) await each.compile(settings());
    const options = { batchSize: BATCH, epochs: 2, shuffle: false, verbose: 0 } as const;
    const [{ history }, { history: want }] = [
      await none.fit(data.x, data.y, options),
      await without.fit(data.x, data.y, options),
    ];
    expect(history).toEqual(want);
    none.dispose();
    without.dispose();
  });

  it("are told where they are the first to be infinite", async () => {
    const both = penalized(({ add }) => [add(ops.fill, {}, { shape: [1], value: 3e38 * 10 }).y]);
    await expect(both.compile(settings())).rejects.toThrow(/VALUE is of type f32/);
    const large = ({ add }: LayerLossCall) => {
      const x = add(ops.fill, {}, { shape: [1], value: 3e38 }).y;
      return [add(ops.add, { a: x, b: x }).c];
    };
    const bad = penalized(large);
    await bad.compile(settings());
    const seen: number[] = [];
    const onTrainBatchEnd = (_: number, __: object, { badStep }: { badStep: number }) => void seen.push(badStep);
    await bad.fit(data.x, data.y, { batchSize: SAMPLES, verbose: 0, callbacks: [{ onTrainBatchEnd }] });
    expect(seen).toEqual([1]);
    bad.dispose();
  });

  it("are checked as the model is compiled", async () => {
    const cases: [(call: LayerLossCall) => unknown, RegExp][] = [
      [
        ({ uses }) => [uses[0]!.output],
        /Penalized "penalized": losses\(\) must return a list of tensors, \[1\].*shape \[1, 2\]/,
      ],
      [
        ({ add }) => add(ops.fill, {}, { shape: [1], value: 0 }).y,
        /Penalized "penalized": losses\(\) must be an array/,
      ],
      [() => [undefined], /losses\(\) must return a list of tensors.*got undefined/],
      [
        ({ add }) => [add(ops.multiply, { a: add(ops.fill, {}, { shape: [1], value: 1 }) as never, b: 0 }).c],
        /Penalized "penalized": losses\(\) must add a tensor \(add\(\) gives outputs by name/,
      ],
      [({ shapeOf }) => [shapeOf(undefined as never)[0]], /losses\(\) must ask for the shape of a tensor/],
      [
        ({ uses, state, add }) => [add(ops.batchMean, { state, x: uses[0]!.output }, { weight: 1 }).y],
        /"penalized\/batchMean" takes a number for each sample, \[batch\], got \[1, 2\]/,
      ],
    ];
    for (const [losses, message] of cases)
      await expect(penalized(losses as never).compile(settings())).rejects.toThrow(message);
  });
});
