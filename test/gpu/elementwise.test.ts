import { describe, it } from "vitest";
import { activate, activationGradient } from "../reference/activation.ts";
import { randomArray } from "../reference/random.ts";
import { expectClose } from "../support/compare.ts";
import { GraphRun } from "../support/run-graph.ts";
import { sumTolerance, tolerances } from "../support/tolerances.ts";

describe.each(["linear", "relu", "sigmoid", "tanh", "elu", "leakyRelu", "softplus"] as const)(
  "activation %s",
  (kind) => {
    it.each([7, 64])("matches the reference forward and backward on %i numbers", async (size) => {
      const x = randomArray(size, 1, -30, 30);
      x[0] = 0;
      const dY = randomArray(size, 2);
      const y = activate(kind, x);
      const run = new GraphRun();
      const [yId] = run.add("activation", [run.input("x", [size], x)], { kind });
      const [dX] = run.add("activationGradient", [run.input("dy", [size], dY), run.input("y", [size], y)], { kind });
      const [gotY, gotDX] = await run.read([yId!, dX!]);
      expectClose(gotY!, y, tolerances.elementwise, "y");
      expectClose(
        gotDX!,
        activationGradient(kind, Float64Array.from(Float32Array.from(y)), dY),
        tolerances.elementwise,
        "dX",
      );
    });
  },
);

describe.each([1, 65, 256])("on %i numbers", (size) => {
  it("add adds", async () => {
    const [a, b] = [randomArray(size, 1), randomArray(size, 2)];
    const run = new GraphRun();
    const [c] = run.add("add", [run.input("a", [size], a), run.input("b", [size], b)]);
    const [got] = await run.read([c!]);
    const want = a.map((value, i) => value + b[i]!);
    expectClose(got!, want, tolerances.elementwise, "c");
  });

  it("sgd steps in place", async () => {
    const [p, g] = [randomArray(size, 1), randomArray(size, 2)];
    const run = new GraphRun();
    const pId = run.input("p", [size], p);
    run.add("sgd", [pId, run.input("g", [size], g), run.input("rate", [1], [0.125])]);
    const [got] = await run.read([pId]);
    const want = p.map((value, i) => value - 0.125 * g[i]!);
    expectClose(got!, want, tolerances.sgdUpdate, "p");
  });
});

describe("an activation that rides in a dense layer's kernels", () => {
  it("gives what the separate kernels give", async () => {
    const [rows, inputs, units] = [5, 7, 6];
    const [x, w, dY] = [randomArray(rows * inputs, 1), randomArray(inputs * units, 2), randomArray(rows * units, 3)];
    const read = async (separate: boolean) => {
      const run = new GraphRun();
      const [xId, wId] = [run.input("x", [rows, inputs], x), run.input("w", [inputs, units], w)];
      const [z] = run.add("dense", [xId, wId]);
      const [y] = run.add("activation", [z!], { kind: "tanh" });
      const [dX] = run.add("denseInputGradient", [run.input("dy", [rows, units], dY), wId]);
      const [dZ] = run.add("activationGradient", [dX!, run.input("below", [rows, inputs], x)], { kind: "tanh" });
      return run.read(separate ? [y!, dZ!, z!, dX!] : [y!, dZ!]);
    };
    const [fused, apart] = [await read(false), await read(true)];
    for (const i of [0, 1]) expectClose(fused[i]!, apart[i]!, sumTolerance(inputs), i === 0 ? "y" : "dX");
  });
});
