import { describe, expect, it } from "vitest";
import { activate, activationGradient, activationSlope } from "../../reference/activation.ts";
import { randomArray } from "../../reference/random.ts";
import { expectClose } from "../../support/compare.ts";
import { GraphRun } from "../../support/run-graph.ts";
import { sumTolerance, tolerances } from "../../support/tolerances.ts";

describe.each(["linear", "relu", "sigmoid", "tanh", "elu", "leakyRelu", "softplus"] as const)(
  "activation %s",
  (kind) => {
    it.each([7, 64])("matches the reference forward and backward on %i numbers", async (size) => {
      const x = randomArray(size, 1, -30, 30);
      x[0] = 0;
      const dY = randomArray(size, 2);
      const y = activate(kind, x);
      const run = new GraphRun();
      const { y: yId } = run.add("activation", { x: run.input("x", [size], x) }, { kind });
      const { dx: dX } = run.add(
        "activationGradient",
        { dy: run.input("dy", [size], dY), y: run.input("y", [size], y) },
        { kind },
      );
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

describe.each(["sigmoid", "tanh", "elu", "softplus"] as const)("%s over all exponents", (kind) => {
  // Both signs of six numbers of each normal exponent, what lies where the kernels' forms meet, and -110 to 110 in small steps.
  const mantissas = [1, 1.1, 1.3, 1.5, 1.7, 1.9];
  const exponents = Array.from({ length: 254 }, (_, i) => 2 ** (i - 126));
  const swept = exponents.flatMap((power) => mantissas.flatMap((mantissa) => [mantissa * power, -mantissa * power]));
  const met = [0.625, 0.62499994, 0.34657359, 0.3465736, 87.3, 87.7, 88, 104].flatMap((value) => [value, -value]);
  const close = Array.from({ length: 8801 }, (_, i) => (i - 4400) / 40);
  const named = { softplus: [-17, -15], elu: [-1e-8], sigmoid: [-20], tanh: [-8, 1e-6] }[kind];
  const x = Float32Array.from([...swept, ...met, ...close, ...named]);

  it("keeps its digits, and so does its gradient by what the forward pass stored", async () => {
    const run = new GraphRun();
    const xId = run.input("x", [x.length], x);
    const { y } = run.add("activation", { x: xId }, { kind });
    const ones = run.input("ones", [x.length], new Float32Array(x.length).fill(1));
    const { dx: slope } = run.add("activationGradient", { dy: ones, y: y! }, { kind });
    const [gotY, gotSlope] = await run.read([y!, slope!]);
    expectClose(gotY!, activate(kind, x), tolerances.activation, "y");
    const want = activationSlope(kind, x);
    const saturated = (value: number) => {
      return kind === "sigmoid"
        ? value > 0.5
        : kind === "tanh"
          ? Math.abs(value) > 0.5
          : kind === "elu" && value < -0.5;
    };
    for (const [near, tolerance] of [
      [true, tolerances.saturatedGradient],
      [false, tolerances.activationGradient],
    ] as const) {
      const places = [...x.keys()].filter((at) => saturated(gotY![at]!) === near);
      const of = (values: ArrayLike<number>) => places.map((at) => values[at]!);
      if (places.length > 0) expectClose(of(gotSlope!), of(want), tolerance, `slope, ${near ? "" : "not "}saturated`);
      else expect(kind).toBe("softplus");
    }
  });
});

describe.each([1, 65, 256])("on %i numbers", (size) => {
  it("add adds", async () => {
    const [a, b] = [randomArray(size, 1), randomArray(size, 2)];
    const run = new GraphRun();
    const { c } = run.add("add", { a: run.input("a", [size], a), b: run.input("b", [size], b) });
    const [got] = await run.read([c!]);
    const want = a.map((value, i) => value + b[i]!);
    expectClose(got!, want, tolerances.elementwise, "c");
  });

  it("multiply multiplies", async () => {
    const [a, b] = [randomArray(size, 1), randomArray(size, 2)];
    const run = new GraphRun();
    const { c } = run.add("multiply", { a: run.input("a", [size], a), b: run.input("b", [size], b) });
    const [got] = await run.read([c!]);
    const want = a.map((value, i) => value * b[i]!);
    expectClose(got!, want, tolerances.elementwise, "c");
  });

  it("sgd steps in place", async () => {
    const [p, g] = [randomArray(size, 1), randomArray(size, 2)];
    const run = new GraphRun();
    const pId = run.input("p", [size], p);
    run.add("sgd", { p: pId, g: run.input("g", [size], g), rate: run.input("rate", [1], [0.125]) });
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
      const { y: z } = run.add("dense", { x: xId, kernel: wId });
      const { y } = run.add("activation", { x: z! }, { kind: "tanh" });
      const { dx: dX } = run.add("denseInputGradient", { dy: run.input("dy", [rows, units], dY), kernel: wId });
      const { dx: dZ } = run.add(
        "activationGradient",
        { dy: dX!, y: run.input("below", [rows, inputs], x) },
        { kind: "tanh" },
      );
      return run.read(separate ? [y!, dZ!, z!, dX!] : [y!, dZ!]);
    };
    const [fused, apart] = [await read(false), await read(true)];
    for (const i of [0, 1]) expectClose(fused[i]!, apart[i]!, sumTolerance(inputs), i === 0 ? "y" : "dX");
  });
});
