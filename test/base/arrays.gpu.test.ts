import { expect, it } from "vitest";
import { createDataset, createRuntime, dense, sequential, tensor } from "../../src/index.ts";

it("takes an iframe's arrays as a page's own", async () => {
  const frame = document.body.appendChild(document.createElement("iframe"));
  const theirs = frame.contentWindow as unknown as typeof globalThis;
  const runtime = await createRuntime();
  const model = sequential([dense({ units: 2, inputShape: [3] })]);
  try {
    await model.compile({ runtime, seed: 4 });
    for (const type of ["Float32Array", "Uint8Array", "Float64Array"] as const) {
      const numbers = [1, 2, 3, 4, 5, 6];
      const foreign = tensor(theirs[type].from(numbers), [2, 3], { scale: 0.5 });
      expect(foreign.data).not.toBeInstanceOf(globalThis[type]);
      const want = await model.predict(tensor(globalThis[type].from(numbers), [2, 3], { scale: 0.5 }));
      expect(await model.predict(foreign)).toEqual(want);
      const dataset = await createDataset(runtime, { x: foreign });
      expect(await model.predict(dataset)).toEqual(want);
      dataset.dispose();
    }
    const weights = await model.getWeights();
    await model.setWeights(weights.map(({ data }) => ({ data: theirs.Float32Array.from(data) })));
    expect(await model.getWeights()).toEqual(weights);
  } finally {
    model.dispose();
    runtime.dispose();
    frame.remove();
  }
});
