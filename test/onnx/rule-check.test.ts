import { describe, expect, it } from "vitest";
import { conv2d, defineLayer, ops, sequential } from "../../src/index.ts";
import type { OnnxRule } from "../../src/onnx/onnx.ts";
import { failure } from "../support/building.ts";
import { fileOf, nodesOf, unknown } from "../support/onnx.ts";

describe("an op of one's own", () => {
  const scale = (name = "scale") =>
    defineLayer({ type: "Scale", name, call: ({ input, add }) => add(unknown, { x: input }, { by: 2 }).y });
  const made = () => sequential([conv2d({ filters: 2, kernelSize: 1, inputShape: [3, 3, 1] }), scale("scale/own")]);
  const rule: OnnxRule<typeof unknown> = ({ inputs: { x }, attributes: { by }, readAsItLies, add, constant }) => {
    const { name, order } = readAsItLies(x);
    return { y: { name: add("Mul", [name, constant({ floats: [by], shape: [] })]), order } };
  };

  it("without a rule is refused, and the layer named", () => {
    const error = failure(() => nodesOf(made()));
    expect(error.code).toBe("value");
    expect(error.message).toBe(
      'toOnnx: Scale "scale/own" adds the op "own/scale", which has no ONNX rule. ' +
        'Give one: toOnnx(model, { rules: { "own/scale": ... } }).',
    );
  });

  it("is written by the rule that the app brings", async () => {
    const file = await fileOf(made(), { rules: { "own/scale": rule } });
    expect(file.nodes.slice(1)).toEqual([
      "Conv(input/Transpose, conv2d/kernel, conv2d/bias) -> conv2d",
      "Mul(conv2d, scale/own/constant) -> scale/own_1",
      "Transpose(scale/own_1) -> scale/own",
    ]);
    expect(file.weights["scale/own/constant"]).toEqual({ dims: [], data: [2] });
  });

  it("may have attributes of every type, and a rule in a library's place", async () => {
    const attributes = {
      i: { int: -3 },
      zero: { int: 0 },
      n: { ints: [1, 0, -1] },
      f: { float: 0.5 },
      g: { floats: [1.5, -2] },
      s: { string: "ä" },
    };
    const own: OnnxRule<typeof ops.add> = ({ inputs: { a }, read, add }) => ({ c: add("Own", [read(a)], attributes) });
    const layer = defineLayer({
      type: "Twice",
      inputShape: [2],
      call: ({ input, add }) => add(ops.add, { a: input, b: input }).c,
    });
    const file = await fileOf(sequential([layer]), { rules: { add: own } });
    expect(file.nodes).toEqual(["Own(input) -> twice"]);
    expect(file.attributes).toEqual({ twice: attributes });
  });

  const wrong: readonly [what: string, rule: (...args: never[]) => unknown, message: RegExp][] = [
    ["nothing", () => undefined, /rule of op "own\/scale": what it returns must be an object, got undefined/],
    ["no output", () => ({}), /rule of op "own\/scale" gives no "y", which "scale\/own" reads/],
    ["an unknown name", () => ({ y: "no" }), /must name tensors as read\(\).*got "no"/],
    ["a number", () => ({ y: 3 }), /output "y" must be an object, got 3/],
    ["no name", () => ({ y: { order: [0, 1, 2, 3] } }), /output "y": name must be a word, got undefined/],
    ["no order", () => ({ y: { name: "conv2d" } }), /must order the axes 0, 1, 2, 3, got undefined/],
    ["a wrong order", () => ({ y: { name: "conv2d", order: [0, 1, 2, 2] } }), /must order the axes 0, 1, 2, 3/],
    [
      "an untyped attribute",
      ({ add }: { add: (...of: unknown[]) => string }) => ({ y: add("Elu", ["conv2d"], { alpha: 1 }) }),
      /Elu: alpha must be an object, got 1/,
    ],
    [
      "an attribute of no type",
      ({ add }: { add: (...of: unknown[]) => string }) => ({ y: add("Elu", ["conv2d"], { alpha: { double: 1 } }) }),
      /must be one of \{ int \}, \{ ints \}/,
    ],
    [
      "an integer that is none",
      ({ add }: { add: (...of: unknown[]) => string }) => ({ y: add("Elu", ["conv2d"], { a: { ints: [0.5] } }) }),
      /Elu: a must be a whole number, got 0\.5/,
    ],
    [
      "a tensor in a name's place",
      ({ add, inputs }: { add: (...of: unknown[]) => string; inputs: { x: unknown } }) => ({
        y: add("Elu", [inputs.x]),
      }),
      /must name tensors as read\(\)/,
    ],
    [
      "numbers of another shape",
      ({ constant }: { constant: (of: unknown) => string }) => ({ y: constant({ floats: [1, 2], shape: [3] }) }),
      /constant\(\): 2 numbers do not have the shape \[3\]/,
    ],
    [
      "what is no input",
      ({ read }: { read: (of: unknown) => string }) => ({ y: read("conv2d") }),
      /rule of op "own\/scale" must read one of the node's inputs, got "conv2d"/,
    ],
    [
      "a node of no type",
      ({ add }: { add: (...of: unknown[]) => string }) => ({ y: add(3, ["conv2d"]) }),
      /type of a node must be a word, got 3/,
    ],
    [
      "an order of other axes",
      ({ read, inputs }: { read: (...of: unknown[]) => string; inputs: { x: unknown } }) => ({
        y: read(inputs.x, [1, 0]),
      }),
      /"scale\/own" must order the axes 0, 1, 2, 3/,
    ],
  ];
  it.each(wrong)("whose rule gives %s is an error", (_, own, message) => {
    const error = failure(() => nodesOf(made(), { "own/scale": own as OnnxRule }));
    expect(error).toMatchObject({ message, code: /shape/.test(String(message)) ? "shape" : "value" });
  });

  it("that reads the step's state has no place in ONNX", () => {
    const layer = defineLayer({
      type: "Stateful",
      inputShape: [2],
      call: ({ input, add }) => add(unknown, { x: input, state: 0 }, { by: 1 }).y,
    });
    const own: OnnxRule<typeof unknown> = ({ inputs: { state }, read }) => ({ y: read(state!) });
    const error = failure(() => nodesOf(sequential([layer]), { "own/scale": own }));
    expect(error).toMatchObject({ code: "value", message: /no step's state in ONNX, which "stateful" reads/ });
  });
});
