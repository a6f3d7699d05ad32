import { describe, expect, it } from "vitest";
import { pipelinesOf } from "../../../bench/compile/pipelines.ts";

describe("what the sweep of compile times compiles", () => {
  const pipelines = pipelinesOf(["software-quads"], 2);

  it("is the same each time, and each text once", () => {
    expect(pipelines.length).toBeGreaterThan(50);
    expect(new Set(pipelines.map(({ code }) => code)).size).toBe(pipelines.length);
    expect(pipelinesOf(["software-quads"], 2).map(({ code }) => code)).toEqual(pipelines.map(({ code }) => code));
  });

  it("has kernels of every kind, and each binding's bytes", () => {
    const kernels = new Set(pipelines.map(({ kernel }) => kernel));
    for (const kernel of [
      "conv2d",
      "matmul",
      "conv2d_filter_gradient",
      "winograd_input",
      "dense_filter_gradient",
      "softmax",
    ])
      expect(kernels).toContain(kernel);
    expect(pipelines.filter(({ bindings, bytes }) => bindings.length !== bytes.length)).toEqual([]);
  });

  it("has the wide hoisted tiles that once did not compile", () => {
    const wide = pipelines.filter(
      ({ code }) => /\bBLOCKS_N: u32 = 2u/.test(code) && /\bTURNS: u32 = 4u/.test(code) && code.includes("BLOCKS_K"),
    );
    const kernels = wide.map(({ kernel }) => kernel);
    expect(kernels).toContain("conv2d");
    expect(kernels).toContain("matmul");
  });
});
