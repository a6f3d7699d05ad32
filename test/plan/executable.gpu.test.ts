import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CompileProgress, createRuntime, type Runtime, sgd } from "../../src/index.ts";
import { noise, tinyModel } from "../support/models.ts";

const settings = { loss: "sparseCategoricalCrossentropy", optimizer: sgd() } as const;
const { x, y } = noise(10, [4], 3);

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime();
});
afterAll(() => runtime.dispose());

describe("onProgress of compile", () => {
  it("tells as each pipeline of a plan is ready, plan by plan, also of those that were ready before", async () => {
    for (let again = 0; again < 2; again++) {
      const model = tinyModel();
      const seen: CompileProgress[] = [];
      const onProgress = (progress: CompileProgress) => void seen.push(progress);
      await model.compile({ ...settings, runtime, onProgress });
      expect(seen).toEqual([]);
      await model.fit(x, y, { batchSize: 5, verbose: 0 });
      const steps = model.plan!.steps;
      const total = new Set(steps.map(({ shader }) => shader.code)).size;
      expect(seen.map(({ compiled }) => compiled)).toEqual(Array.from({ length: total + 1 }, (_, i) => i));
      expect(seen.every((each) => each.total === total && each.plan === "training step")).toBe(true);
      expect(seen[0]!.kernel).toBeUndefined();
      expect(new Set(seen.slice(1).map(({ kernel }) => kernel))).toEqual(new Set(steps.map(({ kernel }) => kernel)));
      await model.fit(x, y, { batchSize: 5, verbose: 0 });
      expect(seen).toHaveLength(total + 1);
      await model.predict(x);
      expect(seen.at(-1)).toMatchObject({ plan: "prediction step", compiled: seen.at(-1)!.total });
      model.dispose();
    }
  });

  it.each([
    [
      "throws",
      () => {
        throw new Error("enough");
      },
    ],
    ["rejects", () => Promise.reject(new Error("enough"))],
  ])("that %s ends the call that wanted the plan, is not called again, and leaves the model usable", async (_, end) => {
    const model = tinyModel();
    let calls = 0;
    let broken = true;
    const onProgress = ({ compiled }: CompileProgress) => {
      calls++;
      return broken && compiled === 2 ? end() : undefined;
    };
    await model.compile({ ...settings, runtime, onProgress });
    await expect(model.fit(x, y, { verbose: 0 })).rejects.toThrow("enough");
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(calls).toBe(3);
    broken = false;
    expect((await model.fit(x, y, { verbose: 0 })).epoch).toEqual([0]);
    model.dispose();
    expect(runtime.memory.buffers).toBe(0);
  });
});
