import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { conv2d, createRuntime, dense, flatten, type Runtime, sequential, sgd } from "../../src/index.ts";
import { specialize } from "../../src/wgsl/specialize.ts";
import { noise } from "../support/models.ts";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime();
});
afterAll(() => runtime.dispose());

const shader = (statement: string) =>
  specialize(
    [
      {
        code: `@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(1)
fn broken() {
  ${statement}
}`,
      },
    ],
    {},
  );

describe("a shader that does not compile", () => {
  it("is reported with the message, the line and its text", async () => {
    const compiled = runtime.pipelines.get(shader("y[0] = 1u;"));
    await expect(compiled).rejects.toThrow(
      /kernel "broken" does not compile on this device:\n {2}line 4:\d+: .+\n {4}y\[0\] = 1u;/,
    );
  });

  it("shows the text around the place, where a line is long", async () => {
    const rest = "y[0] = 2.0f; ".repeat(40);
    const compiled = runtime.pipelines.get(shader(`${rest}y[0] = 1u; ${rest}`));
    await expect(compiled).rejects.toThrow(/line 4:\d+: .+\n {4}.{20,60}y\[0\] = 1u;.{20,60}$/);
  });

  it("does not stay in the cache, nor hinder others", async () => {
    const before = runtime.pipelines.size;
    await expect(runtime.pipelines.get(shader("y[0] = z;"))).rejects.toMatchObject({ code: "device" });
    expect(runtime.pipelines.size).toBe(before);
    const good = shader("y[0] = 2.0f;");
    const one = await runtime.pipelines.get(good);
    expect(await runtime.pipelines.get(shader("y[0] = 2.0f;"))).toBe(one);
  });
});

describe("buffers", () => {
  it("are all made or none, and the message has both sizes", async () => {
    const most = Math.min(runtime.device.limits.maxBufferSize, runtime.device.limits.maxStorageBufferBindingSize);
    const requests = [
      { label: "small", bytes: 64 },
      { label: "huge", bytes: most + 4 },
    ];
    await expect(runtime.buffers.create(requests)).rejects.toThrow(
      new RegExp(`"huge" needs a buffer of ${most + 4} bytes.*${most}`),
    );
    expect(runtime.memory).toEqual({ buffers: 0, bytes: 0, peakBytes: 0 });
  });
});

describe("networks that SwiftShader's compiler once did not finish", () => {
  it("predict one image by a convolution of 32 filters of 4 x 4", async () => {
    const convolution = conv2d({ filters: 32, kernelSize: 4, inputShape: [28, 28, 1] });
    const model = sequential([convolution, flatten(), dense({ units: 10, activation: "softmax" })]);
    await model.compile({ runtime });
    const { data } = await model.predict(noise(1, [28, 28, 1], 10).x);
    expect(data.reduce((sum, probability) => sum + probability, 0)).toBeCloseTo(1, 5);
    model.dispose();
  });

  it("are evaluated, a dense layer of 32 units, on 999 samples at a batch size of 1024", async () => {
    const model = sequential([dense({ units: 32, inputShape: [8], activation: "softmax" })]);
    await model.compile({ runtime, loss: "sparseCategoricalCrossentropy", optimizer: sgd() });
    const { x, y } = noise(999, [8], 32);
    expect((await model.evaluate(x, y, { batchSize: 1024 })).loss).toBeCloseTo(Math.log(32), 0);
    model.dispose();
  });
});
