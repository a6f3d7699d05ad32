import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readBuffers } from "../../src/gpu/readback.ts";
import {
  conv2d,
  createInferenceRecorder,
  createRuntime,
  dense,
  flatten,
  model as functional,
  input,
  type Model,
  type Runtime,
  sequential,
  sgd,
  tensor,
} from "../../src/index.ts";
import { randomArray, randomIntegers } from "../reference/random.ts";
import { DIRECT } from "../support/choices.ts";
import { Ledger } from "../support/ledger.ts";
import { articleLayers, noise, smallModel, tinyModel } from "../support/models.ts";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime();
});
afterAll(() => runtime.dispose());

const STORAGE = 0x80 | 0x4 | 0x8;
const made: GPUBuffer[] = [];
afterAll(() => {
  for (const buffer of made) buffer.destroy();
});

/** A buffer of the app's. */
function appBuffer(bytes: number, usage = STORAGE): GPUBuffer {
  const buffer = runtime.device.createBuffer({ size: bytes, usage });
  made.push(buffer);
  return buffer;
}

function holding(values: Float32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>): GPUBuffer {
  const buffer = appBuffer(values.byteLength);
  runtime.device.queue.writeBuffer(buffer, 0, values);
  return buffer;
}

const floats = (count: number, seed = 1) => Float32Array.from(randomArray(count, seed));

async function read(buffer: GPUBuffer, count = buffer.size / 4, offset = 0): Promise<number[]> {
  const [bytes] = await readBuffers(runtime, [{ buffer, bytes: count * 4, offset }]);
  return [...new Float32Array(bytes!)];
}

/** Submits what the app records. */
function submit(record: (encoder: GPUCommandEncoder) => void): void {
  const encoder = runtime.device.createCommandEncoder();
  record(encoder);
  runtime.device.queue.submit([encoder.finish()]);
}

function inPass(record: (pass: GPUComputePassEncoder) => void): void {
  submit((encoder) => {
    const pass = encoder.beginComputePass();
    record(pass);
    pass.end();
  });
}

async function ready<M extends Model<unknown>>(model: M): Promise<M> {
  await model.compile({ loss: "sparseCategoricalCrossentropy", optimizer: sgd(), runtime });
  return model;
}

describe("inference in an app's commands", () => {
  it("gives the bits of predict, in a pass of the app's and in an encoder", async () => {
    const model = await ready(smallModel());
    const x = floats(3 * 144);
    const want = [...(await model.predict(tensor(x, [3, 12, 12, 1]))).data];
    const inference = await createInferenceRecorder(model, { batchSize: 3 });
    const source = holding(x);
    for (const record of [inPass, submit]) {
      const output = appBuffer(3 * 5 * 4);
      record((target: GPUComputePassEncoder | GPUCommandEncoder) =>
        inference.record(target, { input: source, output }),
      );
      expect(await read(output)).toEqual(want);
    }
    inference.dispose();
    model.dispose();
  });

  it("in one encoder, and in one pass, sees the buffers of each record", async () => {
    const model = await ready(tinyModel());
    const [a, b] = [floats(8, 3), floats(8, 4)];
    const want = [];
    for (const x of [a, b]) want.push([...(await model.predict(tensor(x, [2, 4]))).data]);
    const inference = await createInferenceRecorder(model, { batchSize: 2 });
    const inputs = [holding(a), holding(b)];
    const outputs = [appBuffer(24), appBuffer(24), appBuffer(24), appBuffer(24)];
    submit((encoder) => {
      inference.record(encoder, { input: inputs[0]!, output: outputs[0]! });
      inference.record(encoder, { input: inputs[1]!, output: outputs[1]! });
      const pass = encoder.beginComputePass();
      inference.record(pass, { input: inputs[1]!, output: outputs[2]! });
      inference.record(pass, { input: inputs[0]!, output: outputs[3]! });
      pass.end();
    });
    const got = [];
    for (const output of outputs) got.push(await read(output));
    expect(got).toEqual([want[0], want[1], want[1], want[0]]);
    expect(want[0]).not.toEqual(want[1]);
    model.dispose();
  });

  it("reads an input that the app's own commands have just written, and what one record gave the next takes", async () => {
    const model = sequential([dense({ units: 4, activation: "tanh", inputShape: [4] })]);
    await model.compile({ runtime });
    const x = floats(4);
    const once = (await model.predict(tensor(x, [1, 4]))).data;
    const want = [...(await model.predict(tensor(once, [1, 4]))).data];
    const inference = await createInferenceRecorder(model);
    const [staged, source, between, output] = [holding(x), appBuffer(16), appBuffer(16), appBuffer(16)];
    submit((encoder) => {
      encoder.copyBufferToBuffer(staged, 0, source, 0, 16);
      inference.record(encoder, { input: source, output: between });
      inference.record(encoder, { input: between, output });
    });
    expect(await read(output)).toEqual(want);
    model.dispose();
  });

  it("takes fewer samples than a batch, and leaves the rest of the output alone", async () => {
    const model = await ready(tinyModel());
    const inference = await createInferenceRecorder(model, { batchSize: 7 });
    const x = floats(7 * 4);
    const source = holding(x);
    for (const samples of [1, 3, 7]) {
      const output = holding(new Float32Array(21).fill(9));
      inPass((pass) => inference.record(pass, { input: source, output, samples }));
      const want = (await model.predict(tensor(x.slice(0, samples * 4), [samples, 4]))).data;
      expect(await read(output)).toEqual([...want, ...new Array(21 - want.length).fill(9)]);
    }
    // A buffer of just as many samples is enough.
    const [small, output] = [holding(x.slice(0, 8)), appBuffer(24)];
    submit((encoder) => inference.record(encoder, { input: small, output, samples: 2 }));
    expect(await read(output)).toEqual([...(await model.predict(tensor(x.slice(0, 8), [2, 4]))).data]);
    model.dispose();
  });

  it("reads and writes parts of buffers", async () => {
    const model = await ready(tinyModel());
    const inference = await createInferenceRecorder(model);
    const whole = new Float32Array(64 + 4);
    const x = floats(4);
    whole.set(x, 64);
    const [source, output] = [holding(whole), holding(new Float32Array(128).fill(9))];
    submit((encoder) =>
      inference.record(encoder, {
        input: { buffer: source, offset: 256 },
        output: { buffer: output, offset: 256, size: 256 },
      }),
    );
    const want = [...(await model.predict(tensor(x, [1, 4]))).data];
    expect(await read(output)).toEqual([...new Array(64).fill(9), ...want, ...new Array(61).fill(9)]);
    model.dispose();
  });

  it("scales bytes as it is told, or as fit did", async () => {
    const model = await ready(sequential([dense({ units: 3, activation: "softmax", inputShape: [5] })]));
    const bytes = Uint8Array.from(randomIntegers(12, 4, 256)).fill(0, 10);
    const x = bytes.slice(0, 10);
    await model.fit(tensor(x, [2, 5], { scale: 1 / 255 }), noise(2, [5], 3).y, { verbose: 0 });
    const source = holding(bytes);
    for (const [scale, want] of [[undefined, 1 / 255] as const, [0.01, 0.01] as const]) {
      const kind = { dtype: "u8", ...(scale !== undefined && { scale }) } as const;
      const inference = await createInferenceRecorder(model, { batchSize: 2, input: kind });
      const output = appBuffer(24);
      submit((encoder) => inference.record(encoder, { input: source, output }));
      expect(await read(output)).toEqual([...(await model.predict(tensor(x, [2, 5], { scale: want }))).data]);
      inference.dispose();
    }
    model.dispose();
  });

  it("takes several inputs and outputs by name", async () => {
    const image = input({ shape: [3, 3, 1], name: "image" });
    const place = input({ shape: [2], name: "place" });
    const features = flatten()(conv2d({ filters: 2, kernelSize: 2, activation: "relu" })(image));
    const digit = dense({ units: 3, activation: "softmax", name: "digit" })(features);
    const side = dense({ units: 2, name: "side" })(place);
    const model = functional({ inputs: { image, place }, outputs: { digit, side } });
    await model.compile({ runtime });
    const inference = await createInferenceRecorder(model, { batchSize: 2, input: { image: { dtype: "u8" } } });
    const [pixels, places] = [Uint8Array.from(randomIntegers(20, 2, 9)).fill(0, 18), floats(4)];
    const input_ = { image: holding(pixels), place: holding(places) };
    const output = { digit: appBuffer(24), side: appBuffer(16) };
    inPass((pass) => inference.record(pass, { input: input_, output }));
    const want = await model.predict({
      image: tensor(pixels.slice(0, 18), [2, 3, 3, 1]),
      place: tensor(places, [2, 2]),
    });
    expect(await read(output.digit)).toEqual([...want.digit!.data]);
    expect(await read(output.side)).toEqual([...want.side!.data]);
    // One buffer may be read twice, and hold both outputs. A GPU's kernels share dispatches.
    const pretended = await createRuntime({ device: runtime.device });
    Object.defineProperty(pretended, "adapter", { value: { ...pretended.adapter, software: false } });
    const merged = functional({ inputs: { image, place }, outputs: { digit, side } });
    await merged.compile({ runtime: pretended });
    const both = await createInferenceRecorder(merged, { batchSize: 2 });
    const [shared, arena] = [holding(floats(18, 6)), appBuffer(512)];
    const parts = { digit: { buffer: arena, offset: 256 }, side: arena };
    inPass((pass) => both.record(pass, { input: { image: shared, place: shared }, output: parts }));
    const expected = await merged.predict({
      image: tensor(floats(18, 6), [2, 3, 3, 1]),
      place: tensor(floats(18, 6).slice(0, 4), [2, 2]),
    });
    expect(await read(arena, 6, 256)).toEqual([...expected.digit!.data]);
    expect(await read(arena, 4)).toEqual([...expected.side!.data]);
    merged.dispose();
    pretended.dispose();
    const record = (buffers: object) => () => inPass((pass) => inference.record(pass, buffers as never));
    expect(record({ input: input_.image, output })).toThrow("input must have a buffer for each of { image, place }");
    expect(record({ input: { image: input_.image }, output })).toThrow(
      'inference.record: input lacks a buffer for "place". It has: image.',
    );
    expect(record({ input: { ...input_, other: input_.image }, output })).toThrow('has a buffer "other", the model');
    expect(record({ input: input_, output: { digit: output.digit, side: output.digit } })).toThrow(
      "inference.record: two outputs overlap.",
    );
    await expect(createInferenceRecorder(model, { input: { dtype: "u8" } as never })).rejects.toThrow(
      'input has no option "dtype". It takes: image, place.',
    );
    model.dispose();
  });

  it("uses the weights that are there when the submit comes to it, and disturbs nothing", async () => {
    const model = await ready(tinyModel());
    const inference = await createInferenceRecorder(model);
    const x = floats(4);
    const [source, output] = [holding(x), appBuffer(12)];
    const encoder = runtime.device.createCommandEncoder();
    inference.record(encoder, { input: source, output });
    const { x: samples, y } = noise(6, [4], 3);
    await model.fit(samples, y, { verbose: 0, batchSize: 2 });
    const want = [...(await model.predict(tensor(x, [1, 4]))).data];
    runtime.device.queue.submit([encoder.finish()]);
    expect(await read(output)).toEqual(want);
    expect([...(await model.predict(tensor(x, [1, 4]))).data]).toEqual(want);
    model.dispose();
  });
});

describe("a steady frame", () => {
  it("of the article's network is 7 dispatches directly: no submit, no write, nothing made", async () => {
    const model = sequential(articleLayers());
    await model.compile({ runtime, choices: DIRECT });
    const inference = await createInferenceRecorder(model);
    const [inputs, outputs] = [
      [appBuffer(784 * 4), appBuffer(784 * 4)],
      [appBuffer(40), appBuffer(40)],
    ];
    const frame = (pass: GPUComputePassEncoder) => {
      for (const [i, source] of inputs.entries()) inference.record(pass, { input: source, output: outputs[i]! });
    };
    inPass(frame);
    const encoder = runtime.device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    const ledger = new Ledger(runtime.device);
    frame(pass);
    const calls = ledger.take();
    ledger.stop();
    pass.end();
    runtime.device.queue.submit([encoder.finish()]);
    const { dispatchWorkgroups, ...others } = calls;
    expect(dispatchWorkgroups).toBe(2 * inference.dispatches);
    expect(Object.values(others).every((count) => count === 0)).toBe(true);
    if (runtime.adapter.software) expect(inference.dispatches).toBe(7);
    model.dispose();
  });
});

describe("what the app does wrong", () => {
  it("is said before anything is recorded", async () => {
    const model = await ready(tinyModel());
    const inference = await createInferenceRecorder(model, { batchSize: 2 });
    const [source, output, small, unbound] = [appBuffer(1024), appBuffer(1024), appBuffer(16), appBuffer(24, 0x8)];
    const encoder = runtime.device.createCommandEncoder();
    const ledger = new Ledger(runtime.device);
    const record = (buffers: object, target: unknown = encoder) => {
      return () => inference.record(target as never, { input: source, output, ...buffers } as never);
    };
    expect(record({}, runtime.device)).toThrow(
      "inference.record: target must be a GPUComputePassEncoder or a GPUCommandEncoder, got a GPUDevice.",
    );
    expect(record({}, null)).toThrow(/target must be .*, got null/);
    expect(record({ inputs: source })).toThrow('no option "inputs"');
    expect(record({ input: new Float32Array(8) })).toThrow(
      "input must be a GPUBuffer, or { buffer, offset, size }, got a Float32Array of length 8.",
    );
    expect(record({ input: undefined })).toThrow(/input must be a GPUBuffer.*got undefined/);
    expect(record({ input: small })).toThrow(
      "inference.record: input is f32 [2, 4], which is 32 bytes, but its buffer has 16.",
    );
    expect(record({ output: { buffer: output, offset: 1024 } })).toThrow(
      "output is f32 [2, 3], which is 24 bytes, but its buffer has 0 from byte 1024 on.",
    );
    expect(record({ output: { buffer: output, size: 20 } })).toThrow("but its buffer has 20.");
    expect(record({ output: { buffer: output, offset: 24 } })).toThrow(/offset must be a multiple of \d+, .* got 24/);
    expect(record({ output: { buffer: output, offset: -256 } })).toThrow(/offset must be a multiple/);
    expect(record({ output: unbound })).toThrow("output: the buffer must have usage STORAGE.");
    expect(record({ output: { buffer: source, offset: 512 } })).toThrow("an output lies in the buffer of an input.");
    expect(record({ samples: 3 })).toThrow("the recorder takes at most 2 samples, got 3.");
    expect(record({ samples: 0 })).toThrow(/samples must be a whole number of at least 1, got 0/);
    expect(Object.values(ledger.take()).every((count) => count === 0)).toBe(true);
    ledger.stop();
    await expect(createInferenceRecorder(model, { batchSize: 0.5 })).rejects.toThrow(/batchSize must be a whole/);
    await expect(createInferenceRecorder(model, { batchsize: 1 } as never)).rejects.toThrow('no option "batchsize"');
    await expect(createInferenceRecorder(model, { input: { dtype: "u32" as never } })).rejects.toThrow(/dtype must be/);
    await expect(createInferenceRecorder(model, { batchSize: 2 ** 30 })).rejects.toThrow(
      /"input" of 1073741824 samples is 17179869184 bytes, but this device's maxStorageBufferBindingSize is/,
    );
    await expect(createInferenceRecorder(tinyModel())).rejects.toThrow("await model.compile() first");
    await expect(createInferenceRecorder({} as never)).rejects.toThrow(/must come from sequential/);
    // Compiled again, disposed.
    await ready(model);
    expect(record({})).toThrow(/compiled again/);
    const next = await createInferenceRecorder(model);
    next.dispose();
    next.dispose();
    expect(() => next.record(encoder, { input: source, output })).toThrow(
      "inference.record: the recorder was disposed.",
    );
    const last = await createInferenceRecorder(model);
    model.dispose();
    expect(() => last.record(encoder, { input: source, output })).toThrow("The model was disposed.");
  });

  it("with a buffer of another device is thrown by the next record; with an encoder of one, WebGPU tells the app", async () => {
    const other = await createRuntime();
    const model = await ready(tinyModel());
    const inference = await createInferenceRecorder(model);
    const [source, output] = [holding(floats(4)), appBuffer(12)];
    const foreign = other.device.createBuffer({ size: 16, usage: STORAGE });
    inference.record(runtime.device.createCommandEncoder(), { input: foreign, output });
    await runtime.device.queue.onSubmittedWorkDone();
    await new Promise((resolve) => setTimeout(resolve, 20));
    const encoder = runtime.device.createCommandEncoder();
    const again = () => inference.record(encoder, { input: source, output });
    expect(again).toThrow(/inference\.record: the GPU refused what it was given/);
    // It goes on afterwards.
    again();
    runtime.device.queue.submit([encoder.finish()]);
    expect(await read(output)).toEqual([...(await model.predict(tensor(floats(4), [1, 4]))).data]);
    other.device.pushErrorScope("validation");
    const theirs = other.device.createCommandEncoder();
    inference.record(theirs, { input: source, output });
    theirs.finish();
    expect(await other.device.popErrorScope()).not.toBeNull();
    foreign.destroy();
    other.dispose();
    model.dispose();
  });

  it("leaves nothing behind, also where the making fails", async () => {
    const empty = runtime.memory.buffers;
    const model = await ready(tinyModel());
    const before = runtime.memory.buffers;
    const inference = await createInferenceRecorder(model, { batchSize: 2 });
    const [source, output] = [appBuffer(32), appBuffer(24)];
    submit((encoder) => inference.record(encoder, { input: source, output, samples: 1 }));
    expect(runtime.memory.buffers).toBeGreaterThan(before);
    inference.dispose();
    // What was made just now is freed as soon as the GPU has told of it.
    await expect.poll(() => runtime.memory.buffers).toBe(before);
    const late = createInferenceRecorder(model);
    model.dispose();
    await expect(late).rejects.toThrow(/The model was disposed/);
    const next = await ready(tinyModel());
    const mine = await createInferenceRecorder(next);
    mine.record(runtime.device.createCommandEncoder(), { input: source, output });
    next.dispose();
    await expect.poll(() => runtime.memory.buffers).toBe(empty);
  });

  it("loses no device's error: a recorder of a lost device says so", async () => {
    const own = await createRuntime();
    const model = tinyModel();
    await model.compile({ runtime: own });
    const inference = await createInferenceRecorder(model);
    const encoder = own.device.createCommandEncoder();
    own.device.destroy();
    await own.lost;
    const record = () => inference.record(encoder, { input: appBuffer(16), output: appBuffer(12) });
    expect(record).toThrow(expect.objectContaining({ code: "lost" }));
    model.dispose();
    own.dispose();
  });
});
