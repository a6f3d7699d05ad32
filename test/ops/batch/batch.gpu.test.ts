import { describe, expect, it } from "vitest";
import { readBuffers } from "../../../src/gpu/readback.ts";
import { addNode, addTensor, emptyGraph, tensorOf } from "../../../src/graph/graph.ts";
import { sweepState } from "../../../src/graph/step-state.ts";
import { byteLength, type TensorId } from "../../../src/graph/tensor.ts";
import { batchGather } from "../../../src/ops/batch/batch-gather.ts";
import { batchScatter } from "../../../src/ops/batch/batch-scatter.ts";
import { advance, meanLayout } from "../../../src/ops/batch/means.ts";
import { prepare } from "../../../src/plan/executable.ts";
import { lower } from "../../../src/plan/lower.ts";
import { GraphRun, testRuntime } from "../../support/run-graph.ts";

type Words = Uint32Array<ArrayBuffer> | Float32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;

/** Runs gather, scatter and advance for several steps, and reads what they left after each. */
async function steps(options: {
  count: number;
  state: Uint32Array<ArrayBuffer>;
  batch: number;
  samples: Words;
  labels?: Words;
  order?: Uint32Array<ArrayBuffer>;
  scale?: number;
  size: number;
}) {
  const { batch, size, samples, labels, order, scale = 1 } = options;
  const runtime = await testRuntime();
  const graph = emptyGraph();
  const bytes = samples instanceof Uint8Array;
  const inputs: [string, Words | undefined, "u8" | "f32" | "u32"][] = [
    ["samples", samples, bytes ? "u8" : "f32"],
    ["labels", labels, "u32"],
    ["order", order, "u32"],
  ];
  const given = inputs.filter(([, words]) => words !== undefined);
  const ids = given.map(([name, words, dtype]) => addTensor(graph, name, "data", { shape: [words!.length], dtype }));
  const tensors = new Map(given.map(([name], i) => [name, ids[i]!]));
  const read = { state: graph.state, order: tensors.get("order") };
  const gather = { batch, sampleShape: [size], dtype: "f32", scale } as const;
  const x = addNode(graph, "gather", batchGather, { ...read, source: tensors.get("samples")! }, gather).rows;
  const labelSource = tensors.get("labels");
  const labelled = { batch, sampleShape: [1], dtype: "u32", scale: 1 } as const;
  const y =
    labelSource === undefined
      ? undefined
      : addNode(graph, "labels", batchGather, { ...read, source: labelSource }, labelled).rows;
  const rows = addTensor(graph, "rows", "data", { shape: [16, size], dtype: "f32" });
  addNode(graph, "scatter", batchScatter, { state: graph.state, y: x, rows });
  addNode(graph, "advance", advance, { state: graph.state }, { batch, first: 0 });
  graph.results.push(x, ...(y === undefined ? [] : [y]));

  const executable = await prepare(runtime, lower(graph, { name: "batch", adapter: "software" }));
  const contents = new Map<TensorId, Words>([
    [graph.state, options.state],
    ...ids.map((id, i): [TensorId, Words] => [id, given[i]![1]!]),
    [rows, new Float32Array(16 * size).fill(-1)],
  ]);
  const owned = await runtime.buffers.create(
    [...contents].map(([id, words]) => ({
      label: tensorOf(graph, id).name,
      bytes: Math.ceil(words.byteLength / 4) * 4,
    })),
  );
  const bound = new Map<TensorId, GPUBuffer>();
  [...contents].forEach(([id, words], i) => {
    const padded = new Uint8Array(owned[i]!.bytes);
    padded.set(new Uint8Array(words.buffer, words.byteOffset, words.byteLength));
    runtime.device.queue.writeBuffer(owned[i]!.buffer, 0, padded);
    bound.set(id, owned[i]!.buffer);
  });
  const run = executable.bind(bound);
  const seen: { x: number[]; y: number[]; state: number[] }[] = [];
  for (let step = 0; step < options.count; step++) {
    const encoder = runtime.device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    run.encode(pass);
    pass.end();
    runtime.device.queue.submit([encoder.finish()]);
    const read = await readBuffers(runtime, [
      { buffer: run.bufferOf(x), bytes: byteLength(tensorOf(graph, x)) },
      { buffer: bound.get(graph.state)!, bytes: 20 },
      ...(y === undefined ? [] : [{ buffer: run.bufferOf(y), bytes: byteLength(tensorOf(graph, y)) }]),
    ]);
    seen.push({
      x: [...new Float32Array(read[0]!)],
      state: [...new Uint32Array(read[1]!)],
      y: [...new Uint32Array(read[2] ?? new ArrayBuffer(0))],
    });
  }
  const [all] = await readBuffers(runtime, [{ buffer: bound.get(rows)!, bytes: 16 * size * 4 }]);
  executable.dispose();
  for (const { release } of owned) release();
  return { seen, rows: [...new Float32Array(all!)] };
}

describe("a batch", () => {
  it("is gathered by the order, out of bytes whose samples are not whole words, the last one short", async () => {
    const samples = Uint8Array.from({ length: 5 * 3 }, (_, i) => i * 17);
    const { seen, rows } = await steps({
      count: 3,
      state: sweepState({ step: 7, samples: 5, batch: 2 }),
      batch: 2,
      samples,
      labels: Uint32Array.of(10, 11, 12, 13, 14),
      order: Uint32Array.of(4, 0, 3, 1, 2),
      scale: 0.5,
      size: 3,
    });
    const sample = (i: number) => [...samples.subarray(i * 3, i * 3 + 3)].map((byte) => byte / 2);
    expect(seen.map(({ x }) => x)).toEqual([
      [...sample(4), ...sample(0)],
      [...sample(3), ...sample(1)],
      [...sample(2), 0, 0, 0],
    ]);
    expect(seen.map(({ y }) => y)).toEqual([
      [14, 10],
      [13, 11],
      [12, 0],
    ]);
    // Step, position, samples, rows in use, rows of a whole batch.
    expect(seen.map(({ state }) => state)).toEqual([
      [8, 2, 5, 2, 2],
      [9, 4, 5, 1, 2],
      [10, 5, 5, 0, 2],
    ]);
    expect(rows.slice(0, 15)).toEqual([4, 0, 3, 1, 2].flatMap(sample));
    expect(rows.slice(15).every((value) => value === -1)).toBe(true);
  });

  it("may be smaller than the plan's capacity, of floats, in the order in which they lie", async () => {
    const samples = Float32Array.of(1, 2, 3, 4, Number.NaN, 6);
    const { seen, rows } = await steps({
      count: 2,
      state: sweepState({ step: 0, samples: 3, batch: 2 }),
      batch: 4,
      samples,
      size: 2,
    });
    expect(seen[0]!.x).toEqual([1, 2, 3, 4, 0, 0, 0, 0]);
    expect(seen[1]!.x).toEqual([Number.NaN, 6, 0, 0, 0, 0, 0, 0]);
    expect(rows.slice(0, 6)).toEqual([1, 2, 3, 4, Number.NaN, 6]);
  });
});

/** Runs `advance` for losses, a step each, and reads the two means: of the losses and of hits that are all 1. */
async function meansOf(losses: readonly number[], begin: readonly number[], rows = 1) {
  const runtime = await testRuntime();
  const graph = emptyGraph();
  const { state } = graph;
  const [batch, steps] = [2, losses.length];
  const all = addTensor(graph, "losses", "data", { shape: [steps], dtype: "f32" });
  const gather = { batch, sampleShape: [1], dtype: "f32", scale: 1 } as const;
  const values_0 = addNode(graph, "loss", batchGather, { state, source: all }, gather).rows;
  const values_1 = addTensor(graph, "correct", "data", { shape: [batch], dtype: "f32" });
  const { words } = meanLayout();
  const means = addTensor(graph, "means", "state", { shape: [2 * words], dtype: "u32" });
  addNode(graph, "advance", advance, { state, values_0, values_1, means }, { batch, first: 0 });
  const executable = await prepare(runtime, lower(graph, { name: "means", adapter: "software" }));
  const contents = new Map<TensorId, Words>([
    [state, sweepState({ step: 0, samples: steps * rows, batch: rows })],
    [all, Float32Array.from(losses)],
    [values_1, Float32Array.of(1, 1)],
    [means, new Uint32Array([...begin, ...Array.from({ length: 2 * words }, () => 0)].slice(0, 2 * words))],
  ]);
  const owned = await runtime.buffers.create(
    [...contents].map(([id, words]) => ({ label: tensorOf(graph, id).name, bytes: words.byteLength })),
    (buffers) => {
      [...contents.values()].forEach((words, i) => {
        runtime.device.queue.writeBuffer(buffers[i]!, 0, words);
      });
    },
  );
  const run = executable.bind(new Map([...contents.keys()].map((id, i) => [id, owned[i]!.buffer])));
  for (let step = 0; step < steps; step += 1000) {
    const encoder = runtime.device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    for (let i = step; i < Math.min(steps, step + 1000); i++) run.encode(pass);
    pass.end();
    runtime.device.queue.submit([encoder.finish()]);
  }
  const [bytes] = await readBuffers(runtime, [{ buffer: owned[3]!.buffer, bytes: 2 * meanLayout().bytes }]);
  executable.dispose();
  for (const { release } of owned) release();
  const [loss, hits] = [0, 1].map((i) => meanLayout().read(bytes!.slice(i * meanLayout().bytes)));
  const mean = ({ sum_high, sum_low, samples }: NonNullable<typeof loss>) => (sum_high + sum_low) / samples;
  return { loss: mean(loss!), accuracy: mean(hits!), samples: loss!.samples, badStep: loss!.bad_step };
}

describe("the metrics of a sweep", () => {
  it("are means within 1e-6 of float64, though the sum is far larger than a step's loss", async () => {
    const losses = Array.from({ length: 4000 }, (_, i) => Math.fround(0.1 + (i % 7) / 13));
    // As after 30 million steps of 0.3: a single float would take none of these losses in.
    const before = Float32Array.of(1e7);
    const metrics = await meansOf(losses, [...new Uint32Array(before.buffer)]);
    const sum = losses.reduce((a, b) => a + b, 1e7);
    expect(metrics.samples).toBe(4000);
    expect(!(Math.abs(metrics.loss * 4000 - sum) <= 1e-6 * sum)).toBe(false);
    // All digits of it: what was added is known to 1e-6 too.
    expect(!(Math.abs(metrics.loss * 4000 - sum) <= 1e-6 * (sum - 1e7))).toBe(false);
    expect(metrics).toMatchObject({ accuracy: 1, badStep: 0 });
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])("tell the first step whose loss is %s", async (bad) => {
    const metrics = await meansOf([1, 2, bad, 4, Number.NaN], []);
    expect(metrics.badStep).toBe(3);
    expect(metrics.loss).toBeNaN();
    expect((await meansOf([1, bad, 2], [])).loss).toEqual(bad);
  });
});

describe("accumulateMeans", () => {
  it("adds up four numbers a sample, over the rows in use, from a place among all means", async () => {
    const run = new GraphRun().rows(3);
    const values = [0, 1, 2, 3].map((i) => [i + 1, i + 2, i + 3, Number.NaN]);
    const [values_0, values_1, values_2, values_3] = values.map((each, i) => run.input(`values_${i}`, [4], each));
    const { words } = meanLayout();
    const means = run.input("means", [6 * words], new Uint32Array(6 * words), "u32");
    const state = run.graph.state;
    run.add("accumulateMeans", { state, values_0, values_1, values_2, values_3, means }, { batch: 4, first: 1 });
    const [read] = await run.read([means]);
    const all = Array.from({ length: 6 }, (_, i) =>
      meanLayout().read(read!.buffer.slice(i * words * 4) as ArrayBuffer),
    );
    expect(all.map(({ sum_high, samples }) => [sum_high, samples])).toEqual([
      [0, 0],
      ...values.map((each) => [each[0]! + each[1]! + each[2]!, 3]),
      [0, 0],
    ]);
  });
});

describe("batchMean", () => {
  it.each([1, 7, 65])("is the mean of %i rows in use, and spreads its gradient over them", async (rows) => {
    const batch = rows + 2;
    const x = Array.from({ length: batch }, (_, i) => (i < rows ? Math.sin(i) : Number.NaN));
    const run = new GraphRun().rows(rows);
    const id = run.input("x", [batch], x);
    const { y } = run.add("batchMean", { state: run.graph.state, x: id }, { weight: 0.5 });
    const [gradient] = run.gradients(y!, [id]);
    const [mean, dx] = await run.read([y!, gradient!]);
    const want = (0.5 * x.slice(0, rows).reduce((a, b) => a + b, 0)) / rows;
    expect(!(Math.abs(mean![0]! - want) <= 1e-6)).toBe(false);
    expect([...dx!]).toEqual(x.map((_, i) => (i < rows ? Math.fround(0.5 / rows) : 0)));
  });
});

describe("batchRepeat", () => {
  it.each([1, 7, 65])("gives a number to each of %i rows, a NaN too", async (batch) => {
    const run = new GraphRun();
    const of = (name: string, x: number) => run.add("batchRepeat", { x: run.input(name, [1], [x]) }, { batch }).y!;
    const [finite, nan] = await run.read([of("finite", 0.1), of("nan", Number.NaN)]);
    expect([...finite!]).toEqual(Array(batch).fill(Math.fround(0.1)));
    expect([...nan!]).toEqual(Array(batch).fill(Number.NaN));
  });
});
