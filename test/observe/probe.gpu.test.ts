import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readBuffers } from "../../src/gpu/readback.ts";
import {
  createProbe,
  createRuntime,
  dense,
  input,
  model,
  modelSummary,
  outputsOf,
  parameterBuffers,
  type Runtime,
  sgd,
  tensor,
} from "../../src/index.ts";
import { type LayerSpec, layerOutputs } from "../reference/network.ts";
import { expectClose } from "../support/compare.ts";
import { Ledger } from "../support/ledger.ts";
import { allWeights, noise, smallModel, tinyModel } from "../support/models.ts";
import { tolerances } from "../support/tolerances.ts";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime();
});
afterAll(() => runtime.dispose());

const settings = { loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"] } as const;

async function compiled(model = smallModel()) {
  await model.compile({ ...settings, optimizer: sgd({ learningRate: 0.1 }), runtime });
  return model;
}

/** `smallModel`, for the reference. */
const SPECS: readonly LayerSpec[] = [
  { layer: "conv2d", filters: 6, kernelSize: 3, activation: "relu" },
  { layer: "maxPooling2d" },
  { layer: "conv2d", filters: 8, kernelSize: 3, padding: "same", activation: "tanh" },
  { layer: "averagePooling2d", poolSize: 3, strides: 2 },
  { layer: "flatten" },
  { layer: "dense", units: 5, activation: "softmax" },
];
const NAMES = ["conv2d", "max_pooling2d", "conv2d_1", "average_pooling2d", "flatten", "dense"];

/** What every layer of `smallModel` puts out, in float64, from the model's own weights. */
async function reference(model: ReturnType<typeof smallModel>, x: ArrayLike<number>) {
  const weights = (await model.getWeights()).map(({ data }) => Float64Array.from(data));
  return layerOutputs(SPECS, [12, 12, 1], weights, Float64Array.from(x));
}

describe("outputs of a shared layer", () => {
  it("are those of each of its uses", async () => {
    const shared = dense({ units: 3, name: "shared" });
    const [a, b] = [input({ shape: [3], name: "a" }), input({ shape: [3], name: "b" })];
    const twice = model({ inputs: [a, b], outputs: { once: shared(a), again: shared(shared(b)) } });
    await twice.compile({ runtime });
    const x = { a: noise(2, [3], 2).x, b: noise(2, [3], 2, 2).x };
    const outputs = await outputsOf(twice, x);
    expect([...outputs.keys()]).toEqual(["shared", "shared/use_2", "shared/use_3"]);
    const { once, again } = await twice.predict(x);
    expect(outputs.get("shared")!.data).toEqual(once.data);
    expect(outputs.get("shared/use_3")!.data).toEqual(again.data);
    twice.dispose();
  });
});

describe("outputs of inner layers", () => {
  it("are what each layer gives, after its activation, whatever a step would fuse", async () => {
    const model = await compiled();
    const { x } = noise(3, [12, 12, 1], 5);
    const want = await reference(model, x.data);
    const got = await outputsOf(model, x);
    expect([...got.keys()]).toEqual(NAMES);
    NAMES.forEach((name, i) => {
      expect(got.get(name)!.shape).toEqual(want[i]!.shape);
      expectClose(got.get(name)!.data, want[i]!.y, tolerances.trainingStep, name);
    });
    // The convolution alone keeps its own numbers, though its pooling is asked for too.
    const some = await outputsOf(model, x, ["max_pooling2d", "conv2d"]);
    expect([...some.keys()]).toEqual(["conv2d", "max_pooling2d"]);
    for (const [name, { data }] of some) expectClose(data, got.get(name)!.data, tolerances.trainingStep, name);
    model.dispose();
  });

  it("are those of all samples, more than a step takes", async () => {
    const model = await compiled(tinyModel());
    const { x } = noise(70, [4], 3);
    const got = await outputsOf(model, x, ["dense"]);
    const want = await model.predict(x);
    expect(got.get("dense")!.shape).toEqual(want.shape);
    expectClose(got.get("dense")!.data, want.data, tolerances.softmax, "dense");
    model.dispose();
  });

  it("follow the choices of an earlier run", async () => {
    const { x, y } = noise(8, [12, 12, 1], 5);
    const model = await compiled();
    await model.fit(x, y, { batchSize: 8, verbose: 0 });
    const { choices } = model.stats();
    const again = smallModel();
    await again.compile({ ...settings, optimizer: sgd(), runtime, choices });
    const want = await reference(again, x.data);
    const got = await outputsOf(again, x, ["dense"]);
    expectClose(got.get("dense")!.data, want.at(-1)!.y, tolerances.trainingStep, "dense");
    again.dispose();
    model.dispose();
  });

  it("are made by tiles that go through workgroup memory, where they are chosen", async () => {
    const model = tinyModel();
    const dense = { blocksM: 1, blocksN: 1, workgroupM: 2, workgroupN: 2, slices: 1, shared: true };
    await model.compile({ runtime, choices: { dense } });
    const { x } = noise(5, [4], 3);
    expectClose(
      (await outputsOf(model, x)).get("dense")!.data,
      (await model.predict(x)).data,
      tolerances.softmax,
      "dense",
    );
    model.dispose();
  });
});

describe("a probe", () => {
  it("makes nothing in a run: it writes the samples, submits once, and its buffers stay the same", async () => {
    const model = await compiled();
    const probe = await createProbe(model, { outputs: ["conv2d", "dense"], batchSize: 2 });
    const [one, other] = [noise(2, [12, 12, 1], 5).x, noise(2, [12, 12, 1], 5, 9).x];
    probe.run(one);
    const buffers = [...probe.buffers.values()];
    const ledger = new Ledger(runtime.device);
    for (const x of [other, one, other]) probe.run(x);
    const none = { createBuffer: 0, createBindGroup: 0, createShaderModule: 0, createComputePipelineAsync: 0 };
    expect(ledger.take()).toMatchObject({ ...none, writeBuffer: 3, submit: 3, beginComputePass: 3, mapAsync: 0 });
    ledger.stop();
    expect([...probe.buffers.values()]).toEqual(buffers);
    expect(probe.buffers.get("conv2d")).toMatchObject({ shape: [2, 10, 10, 6], byteLength: 2 * 600 * 4 });
    const want = await reference(model, other.data);
    for (const [name, { data, shape }] of await probe.read()) {
      const at = NAMES.indexOf(name);
      expect(shape).toEqual(want[at]!.shape);
      expectClose(data, want[at]!.y, tolerances.trainingStep, name);
    }
    probe.dispose();
    model.dispose();
  });

  it("takes fewer samples than its batch, and reads back as many", async () => {
    const model = await compiled(tinyModel());
    const probe = await createProbe(model, { batchSize: 3 });
    for (const rows of [1, 3, 2]) {
      const { x } = noise(rows, [4], 3, rows);
      probe.run(x);
      const got = (await probe.read(["dense"])).get("dense")!;
      expect(got.shape).toEqual([rows, 3]);
      expectClose(got.data, (await model.predict(x)).data, tolerances.softmax, `${rows} rows`);
    }
    probe.dispose();
    model.dispose();
  });

  it("is drawn from by the app's own pipeline, in the same queue, without a wait", async () => {
    const model = await compiled(tinyModel());
    const probe = await createProbe(model);
    const { device } = runtime;
    const { x } = noise(1, [4], 3);
    probe.run(x);
    const module = device.createShaderModule({
      code: `
        @group(0) @binding(0) var<storage, read> y: array<f32>;
        @vertex fn corner(@builtin(vertex_index) i: u32) -> @builtin(position) vec4f {
          return vec4f(f32(i & 1u) * 4.0 - 1.0, f32(i >> 1u) * 4.0 - 1.0, 0.0, 1.0);
        }
        @fragment fn shade(@builtin(position) at: vec4f) -> @location(0) vec4f {
          return vec4f(y[u32(at.x)]);
        }`,
    });
    const pipeline = await device.createRenderPipelineAsync({
      layout: "auto",
      vertex: { module },
      fragment: { module, targets: [{ format: "r32float" }] },
    });
    const { buffer, byteLength } = probe.buffers.get("dense")!;
    const entries = [{ binding: 0, resource: { buffer, size: byteLength } }];
    const group = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
    const usage = GPUTextureUsage.RENDER_ATTACHMENT | GPUTextureUsage.COPY_SRC;
    const texture = device.createTexture({ size: [3, 1], format: "r32float", usage });
    const pixels = await runtime.buffers.createOne({ label: "pixels", bytes: 256 });
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginRenderPass({
      colorAttachments: [{ view: texture.createView(), loadOp: "clear", storeOp: "store" }],
    });
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    pass.draw(3);
    pass.end();
    encoder.copyTextureToBuffer({ texture }, { buffer: pixels.buffer, bytesPerRow: 256 }, [3, 1]);
    device.queue.submit([encoder.finish()]);
    const [drawn] = await readBuffers(runtime, [{ buffer: pixels.buffer, bytes: 12 }]);
    const want = (await probe.read()).get("dense")!.data;
    expect([...new Float32Array(drawn!)]).toEqual([...want]);
    expect(want.reduce((a, b) => a + b)).toBeCloseTo(1, 5);
    texture.destroy();
    pixels.release();
    probe.dispose();
    model.dispose();
  });

  it("sees the weights change while fit runs, and changes nothing of it", async () => {
    const { x, y } = noise(48, [12, 12, 1], 5);
    const one = { ...x, data: x.data.subarray(0, 144), shape: [1, 12, 12, 1] };
    const options = { batchSize: 8, epochs: 2, verbose: 0, stepsPerExecution: 1 } as const;
    const alone = await compiled();
    await alone.fit(x, y, options);
    const model = await compiled();
    const probe = await createProbe(model, { outputs: ["conv2d", "dense"] });
    const seen: string[] = [];
    const look = async () => {
      probe.run(one);
      seen.push((await probe.read(["dense"])).get("dense")!.data.join());
    };
    const onTrainBatchEnd = (batch: number) => (batch % 2 === 0 ? look() : undefined);
    const training = model.fit(x, y, { ...options, callbacks: [{ onTrainBatchEnd }] });
    for (let i = 0; i < 3; i++) await look();
    await training;
    expect(await allWeights(model)).toEqual(await allWeights(alone));
    expect(new Set(seen).size).toBeGreaterThan(3);
    probe.run(one);
    const want = await reference(model, one.data);
    const last = (await probe.read()).get("dense")!;
    expectClose(last.data, want.at(-1)!.y, tolerances.trainingStep, "dense");
    probe.dispose();
    model.dispose();
    alone.dispose();
  });

  it("scales bytes as fit did, or as they say", async () => {
    const model = await compiled(tinyModel());
    const bytes = Uint8Array.from({ length: 8 }, (_, i) => (i * 37) % 256);
    const { y } = noise(2, [4], 3);
    await model.fit(tensor(bytes, [2, 4], { scale: 1 / 255 }), y, { verbose: 0 });
    const probe = await createProbe(model, { batchSize: 2 });
    for (const x of [tensor(bytes, [2, 4]), tensor(bytes, [2, 4], { scale: 1 / 100 })]) {
      probe.run(x);
      const { data } = (await probe.read()).get("dense")!;
      expectClose(data, (await model.predict(x)).data, tolerances.softmax, "dense");
    }
    probe.dispose();
    model.dispose();
  });

  it("frees what it made, also where its making fails", async () => {
    const before = runtime.memory.buffers;
    const model = tinyModel();
    let fails = false;
    const onProgress = () => {
      if (fails) throw new Error("told enough");
    };
    await model.compile({ ...settings, optimizer: sgd(), runtime, onProgress });
    const compiledBuffers = runtime.memory.buffers;
    const probe = await createProbe(model);
    expect(runtime.memory.buffers).toBeGreaterThan(compiledBuffers);
    probe.dispose();
    probe.dispose();
    expect(runtime.memory.buffers).toBe(compiledBuffers);
    fails = true;
    await expect(createProbe(model, { batchSize: 2 })).rejects.toThrow("told enough");
    fails = false;
    const late = createProbe(model, { batchSize: 4 });
    model.dispose();
    await expect(late).rejects.toThrow(/The model was disposed/);
    expect(runtime.memory.buffers).toBe(before);
  });
});

describe("a wrong call", () => {
  it("says what is wrong with it", async () => {
    const model = tinyModel();
    const { x } = noise(2, [4], 3);
    await expect(createProbe(model)).rejects.toThrow("createProbe cannot go on: await model.compile() first.");
    await expect(outputsOf({} as never, x)).rejects.toThrow(
      /outputsOf: model must come from sequential\(\) or model\(\), got an obj/,
    );
    await compiled(model);
    await expect(createProbe(model, { outputs: ["dense", "conv2d"] })).rejects.toThrow(
      'createProbe: the model has no layer "conv2d". It has: dense.',
    );
    await expect(createProbe(model, { outputs: "dense" as never })).rejects.toThrow(
      /outputs must be an array, got "den/,
    );
    await expect(createProbe(model, { batchSize: 0 })).rejects.toThrow(/batchSize must be a whole number/);
    await expect(createProbe(model, { output: [] } as never)).rejects.toThrow(/no option "output"/);
    await expect(outputsOf(model, noise(2, [5], 3).x)).rejects.toThrow("takes [batch, 4], got [batch, 5].");
    const probe = await createProbe(model);
    await expect(probe.read()).rejects.toThrow(/nothing was computed yet/);
    expect(() => probe.run(x)).toThrow("probe.run: the probe takes at most 1 samples, got 2.");
    expect(() => probe.run(noise(1, [3], 3).x)).toThrow("probe.run: the model takes [batch, 4], got [batch, 3].");
    await expect(probe.read(["flatten"])).rejects.toThrow('the probe has no layer "flatten". It has: dense.');
    await compiled(model);
    expect(() => probe.run(noise(1, [4], 3).x)).toThrow(/compiled again/);
    probe.dispose();
    expect(() => probe.run(x)).toThrow("probe.run: the probe was disposed.");
    model.dispose();
    await expect(createProbe(model)).rejects.toThrow("createProbe: the model was disposed.");
  });
});

describe("parameterBuffers", () => {
  it("are those that training changes", async () => {
    const model = await compiled(tinyModel());
    const buffers = await parameterBuffers(model);
    expect(buffers.map(({ name, shape }) => [name, shape])).toEqual([
      ["dense/kernel", [4, 3]],
      ["dense/bias", [3]],
    ]);
    const { x, y } = noise(6, [4], 3);
    const before = await allWeights(model);
    await model.trainOnBatch(x, y);
    const after = await allWeights(model);
    const read = await readBuffers(
      runtime,
      buffers.map(({ buffer }) => ({ buffer, bytes: buffer.size })),
    );
    expect(read.flatMap((bytes) => [...new Float32Array(bytes)])).toEqual(after);
    expect(after).not.toEqual(before);
    model.dispose();
  });
});

it("modelSummary plans the buffers that training then takes", async () => {
  const model = tinyModel();
  await model.compile({ ...settings, optimizer: sgd({ learningRate: 0.1, momentum: 0.9 }), runtime });
  const { training, inference } = await modelSummary(model, { batchSize: 4 });
  const { x, y } = noise(4, [4], 3);
  await model.fit(x, y, { batchSize: 4, epochs: 1, verbose: 0 });
  expect(training!.activations).toBe(model.stats().bytes.activations);
  // 15 parameters, their velocities, and the rate of learning.
  expect(training).toMatchObject({ weights: 60, optimizer: 4 * (15 + 1) });
  expect(inference).toMatchObject({ weights: 60, optimizer: 0 });
  // As model.summary() has it once training began.
  expect(String(await modelSummary(model))).toContain("\n Optimizer params: 17 (68.00 B)\n");
  model.dispose();
});
