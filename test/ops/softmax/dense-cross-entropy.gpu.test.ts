import { describe, expect, it } from "vitest";
import { dense, denseGradients } from "../../reference/matmul.ts";
import { randomArray, randomIntegers } from "../../reference/random.ts";
import { softmaxCrossEntropy, sparseSoftmaxCrossEntropy } from "../../reference/softmax.ts";
import { expectClose } from "../../support/compare.ts";
import { GraphRun } from "../../support/run-graph.ts";
import { type NamedTolerance, sumTolerance, tolerances } from "../../support/tolerances.ts";

interface Case {
  readonly rows: number;
  readonly used?: number;
  readonly inputs: number;
  readonly units: number;
  readonly bias?: boolean;
  readonly sparse?: boolean;
  readonly relu?: boolean;
  /** How many buffers a shader may bind. */
  readonly buffers?: number;
}

const CASES: Case[] = [
  { rows: 1, inputs: 1, units: 1 },
  { rows: 9, used: 6, inputs: 70, units: 10, bias: true, relu: true },
  { rows: 5, inputs: 300, units: 8, sparse: true, relu: true },
  { rows: 3, inputs: 65, units: 32, bias: true, sparse: true },
  { rows: 9, used: 6, inputs: 70, units: 10, bias: true, relu: true, buffers: 8 },
];

describe.each(CASES)("a dense layer under cross-entropy on a GPU: %j", (sizes) => {
  const { rows, used = rows, inputs, units, bias = false, sparse = false, relu = false, buffers = 10 } = sizes;

  it("is one kernel, or two, and matches the reference", async () => {
    // Values above 0 half of the time, as a relu leaves them.
    const h = randomArray(rows * inputs, 1).map((value) => (relu ? Math.max(value, 0) : value));
    const w = randomArray(inputs * units, 2, -0.5, 0.5);
    const b = bias ? randomArray(units, 3) : undefined;
    const classes = randomIntegers(rows, 4, units);
    const labels = randomArray(rows * units, 5, 0, 0.3);
    h.fill(Number.NaN, used * inputs);

    const run = new GraphRun().rows(used);
    const below = run.input("below", [rows, inputs], h);
    const hId = relu ? run.add("activation", { x: below }, { kind: "relu" }).y! : below;
    const wId = run.input("w", [inputs, units], w);
    const bId = b && run.input("b", [units], b);
    const labelsId = sparse
      ? run.input("labels", [rows, 1], Uint32Array.from(classes), "u32")
      : run.input("labels", [rows, units], labels);
    const { y: x } = run.add("dense", { x: hId, kernel: wId, bias: bId });
    const { loss, hits, gradients } = run.crossEntropy(x!, labelsId, [x!, below]);
    const [dX, dH] = gradients;
    const limits = { maxStorageBuffersPerShaderStage: buffers, maxComputeWorkgroupStorageSize: 16384 };
    const read = await run.read([loss, hits, dX!, dH!], { adapter: "gpu", limits });
    const ops = run.graph.nodes.map(({ op }) => op);
    expect(ops).toEqual(relu ? ["activation", "denseCrossEntropy"] : ["denseCrossEntropy"]);

    const logits = dense(h.subarray(0, used * inputs), w, b, { rows: used, inputs, units });
    const want = sparse
      ? sparseSoftmaxCrossEntropy(logits, classes.slice(0, used), units)
      : softmaxCrossEntropy(logits, labels.subarray(0, used * units), units);
    const { dX: product } = denseGradients(h.subarray(0, used * inputs), w, want.dLogits, {
      rows: used,
      inputs,
      units,
    });
    const dHWant = product.map((value, i) => (relu && !(h[i]! > 0) ? 0 : value));
    const ofLogits = added(sumTolerance(inputs, 0.5), tolerances.crossEntropy);
    const [gotLoss, gotHits, gotDX, gotDH] = read;
    expectClose(gotLoss!.subarray(0, used), want.losses, ofLogits, "loss");
    expectClose(gotDX!.subarray(0, used * units), want.dLogits, ofLogits, "dX");
    expectClose(gotDH!.subarray(0, used * inputs), dHWant, added(ofLogits, sumTolerance(units, 0.5)), "dH");
    expect([...gotHits!].slice(0, used)).toEqual([...want.correct]);
    // Rows that are not in use are 0, though their inputs are NaN.
    for (const [got, size] of [
      [gotLoss, 1],
      [gotHits, 1],
      [gotDX, units],
      [gotDH, inputs],
    ] as const) {
      expect([...got!].slice(used * size).filter((value) => value !== 0)).toEqual([]);
    }
  });
});

/** For what is computed of sums: the errors of both. */
function added(a: NamedTolerance, b: NamedTolerance): NamedTolerance {
  return { atol: a.atol + b.atol, rtol: a.rtol + b.rtol, reason: `${a.reason}; then ${b.reason}` };
}
