import { describe, expect, it } from "vitest";
import { fromConfig, input, lambda, model, toConfig } from "../../src/index.ts";
import { failure } from "../support/building.ts";

describe("lambda", () => {
  it("broadcasts several inputs, and comes back from its config", () => {
    const [a, b] = [input({ shape: [4, 3] }), input({ shape: [3] })];
    const distance = lambda(["abs", ["subtract", "x0", "x1"]], { name: "distance" });
    const y = distance([a, b]);
    expect(y.shape).toEqual([4, 3]);
    const config = toConfig(model({ inputs: [a, b], outputs: y }));
    expect(config.layers[0]).toEqual({
      className: "Lambda",
      config: { name: "distance", expression: ["abs", ["subtract", "x0", "x1"]] },
    });
    expect(toConfig(fromConfig(config))).toEqual(config);
  });

  it("keeps its own copy of an expression", () => {
    const expression: [string, string, number] = ["multiply", "x", 2];
    const double = lambda(expression as never);
    expression[2] = 5;
    expect(double.config).toEqual({ expression: ["multiply", "x", 2] });
  });

  it("of a function is no part of a file", () => {
    const x = input({ shape: [3] });
    const y = lambda(({ input: x }) => x)(x);
    expect(failure(() => toConfig(model({ inputs: x, outputs: y }))).code).toBe("value");
  });

  it("refuses what is no expression, and inputs that it does not know", () => {
    expect(failure(() => lambda(["cube", "x"] as never)).message).toContain("lambda: expression must be a number");
    expect(failure(() => lambda(["abs", "y"])).message).toContain("lambda: expression must read inputs among x, x0");
    const whole: unknown[] = ["abs"];
    whole.push(whole);
    expect(failure(() => lambda(whole as never)).message).toContain("have no part that holds itself");
    expect(failure(() => lambda(["abs", "x1"])(input({ shape: [3] }))).message).toContain("read inputs among x, got");
  });
});
