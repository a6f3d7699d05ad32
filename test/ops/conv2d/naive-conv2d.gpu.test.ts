import { describe, expect, it } from "vitest";
import source from "../../../shaders/conv2d/naive_conv2d.wgsl";
import { defineOp, dispatch } from "../../../src/index.ts";
import type { Kernel } from "../../../src/wgsl/kernel.ts";
import { conv2d, type Shape4 } from "../../reference/conv2d.ts";
import { randomArray } from "../../reference/random.ts";
import { expectClose } from "../../support/compare.ts";
import { GraphRun } from "../../support/run-graph.ts";
import { sumTolerance } from "../../support/tolerances.ts";

// The rungs of shaders/README.md: one convolution as its formula says it, in blocks, and fused with what follows.

const kernel: Kernel<{ x: "read"; k: "read"; y: "write" }> = source;

const naiveConv2d = defineOp({
  name: "naiveConv2d",
  inputs: ["x", "k"],
  outputs: ["y"],
  infer: ({ x, k }) => {
    const [batch, inH, inW] = x.shape as Shape4;
    const [kH, kW, , outC] = k.shape as Shape4;
    return { y: { shape: [batch, inH - kH + 1, inW - kW + 1, outC], dtype: "f32" } };
  },
  lower: ({ inputs: { x, k }, outputs: { y } }) => {
    const [, IN_H, IN_W, IN_C] = x.shape as Shape4;
    const [K_H, K_W] = k.shape as Shape4;
    const [batch, OUT_H, OUT_W, OUT_C] = y.shape as Shape4;
    return [
      dispatch(kernel, {
        bind: { x, k, y },
        constants: { IN_H, IN_W, IN_C, K_H, K_W, OUT_H, OUT_W, OUT_C },
        workgroups: [Math.ceil((batch * OUT_H * OUT_W * OUT_C) / 64), 1, 1],
      }),
    ];
  },
});

const SIZES: { x: Shape4; k: Shape4 }[] = [
  { x: [1, 1, 1, 1], k: [1, 1, 1, 1] },
  { x: [2, 7, 5, 3], k: [3, 2, 3, 7] },
  { x: [3, 6, 65, 1], k: [1, 4, 1, 5] },
];

const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

describe.each(SIZES)("the naive convolution of x $x and k $k", ({ x, k }) => {
  const [xs, ks] = [randomArray(size(x), 1), randomArray(size(k), 2)];
  const want = conv2d(xs, x, ks, k, new Float32Array(k[3]), { strides: [1, 1], padding: "valid" });
  const tolerance = sumTolerance(size(k) / k[3]);

  it("gives what its formula says, and what the blocked one gives", async () => {
    const run = new GraphRun();
    const inputs = { x: run.input("x", x, xs), k: run.input("k", k, ks) };
    const { y: naive } = run.add(naiveConv2d, inputs);
    const window = { strides: [1, 1], padding: "valid" };
    const { y: blocked } = run.add("conv2d", { x: inputs.x, kernel: inputs.k }, window);
    const [gotNaive, gotBlocked] = await run.read([naive!, blocked!]);
    expectClose(gotNaive!, want.y, tolerance, "naive");
    expectClose(gotBlocked!, want.y, tolerance, "blocked");
  });
});

it("a NaN in one pixel is in the outputs whose window has it, and in no other", async () => {
  const x: Shape4 = [1, 4, 4, 1];
  const xs = new Float32Array(16).fill(1);
  xs[0] = Number.NaN;
  const run = new GraphRun();
  const inputs = { x: run.input("x", x, xs), k: run.input("k", [2, 2, 1, 1], [1, 1, 1, 1]) };
  const [got] = await run.read([run.add(naiveConv2d, inputs).y!]);
  expect([...got!].map(Number.isNaN)).toEqual([true, ...new Array(8).fill(false)]);
});
