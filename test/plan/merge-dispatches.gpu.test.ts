import { describe, expect, it } from "vitest";
import { readBuffers } from "../../src/gpu/readback.ts";
import type { Runtime } from "../../src/gpu/runtime.ts";
import { sweepState } from "../../src/graph/step-state.ts";
import { byteLength } from "../../src/graph/tensor.ts";
import type { Choices, Tile } from "../../src/graph/tile.ts";
import { averagePooling2d, conv2d, createDataset, dense, flatten, maxPooling2d, sgd } from "../../src/index.ts";
import { networkOfLayers } from "../../src/network/layer-stack.ts";
import { prepare } from "../../src/plan/executable.ts";
import type { MergeLimits } from "../../src/plan/merge-dispatches.ts";
import { type PortKind, portKey } from "../../src/program/builder.ts";
import { trainingProgram } from "../../src/program/programs.ts";
import { VariableStore } from "../../src/program/variable-store.ts";
import { variablesOf } from "../../src/program/variables.ts";
import { mergePartOf, mergeParts } from "../../src/wgsl/merge-kernels.ts";
import { specialize } from "../../src/wgsl/specialize.ts";
import { noise } from "../support/models.ts";
import { inputsOf, measuresOf } from "../support/programs.ts";
import { testRuntime } from "../support/run-graph.ts";

/** Writes, for each of its invocations, who it is. */
const kernel = (parameters: string, size: string, invocations: number, words: string, before = "") => `
const SIZE: u32 = ${invocations}u;
@group(0) @binding(0) var<storage, read> offset: array<u32>;
@group(0) @binding(0) var<storage, read_write> out: array<vec4u>;
var<workgroup> shared_sum: array<u32, SIZE>;

@compute @workgroup_size(${size})
fn who(@builtin(workgroup_id) at: vec3u, @builtin(local_invocation_index) lane: u32, ${parameters}) {
  let group = at.x + at.y * groups.x + at.z * groups.x * groups.y;
  ${before}
  out[group * SIZE + lane] = offset[0] + ${words};
}`;

const CALLS = [
  {
    groups: [2, 3, 2],
    lanes: 24,
    code: kernel(
      "@builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_id) local: vec3u",
      "4, 3, 2",
      24,
      "vec4u(local, group)",
    ),
  },
  {
    groups: [3, 2, 1],
    lanes: 64,
    code: kernel(
      "@builtin(num_workgroups) groups: vec3u, @builtin(global_invocation_id) id: vec3u",
      "8, 8",
      64,
      "vec4u(id, total)",
      `shared_sum[lane] = lane + group;
  workgroupBarrier();
  let total = shared_sum[SIZE - 1u - lane];`,
    ),
  },
] as const;

/** Runs dispatches of `who`, or one merged of them, each into a buffer of its own. */
async function answers(runtime: Runtime, merge: boolean): Promise<number[][]> {
  const words = CALLS.map(({ groups: [x, y, z], lanes }) => x * y * z * lanes * 4);
  const owned = await runtime.buffers.create([
    { label: "offset", bytes: 4 },
    ...words.map((count, i) => ({ label: `out ${i}`, bytes: count * 4 })),
  ]);
  runtime.device.queue.writeBuffer(owned[0]!.buffer, 0, Uint32Array.of(1000));
  const calls = CALLS.map(({ code, groups }, i) => ({
    kernel: "who",
    shader: specialize([{ code }], {}),
    bind: { offset: 0, out: 1 + i } as Record<string, number>,
    workgroups: groups,
  }));
  // Rows of 5 workgroups: neither part fills whole ones.
  const run = merge
    ? [
        mergeParts(
          calls.map((call) => mergePartOf(call)!),
          5,
        ),
      ]
    : calls;
  const encoder = runtime.device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  for (const { shader, bind, workgroups } of run) {
    pass.setPipeline(await runtime.pipelines.get(shader));
    const entries = shader.bindings.map(({ name }, binding) => ({
      binding,
      resource: { buffer: owned[bind[name]!]!.buffer },
    }));
    pass.setBindGroup(0, runtime.device.createBindGroup({ layout: runtime.pipelines.layout(shader), entries }));
    pass.dispatchWorkgroups(...workgroups);
  }
  pass.end();
  runtime.device.queue.submit([encoder.finish()]);
  const outputs = words.map((count, i) => ({ buffer: owned[1 + i]!.buffer, bytes: count * 4 }));
  const read = await readBuffers(runtime, outputs);
  for (const { release } of owned) release();
  return read.map((bytes) => [...new Uint32Array(bytes)]);
}

/** Without barriers, so that it may share a dispatch with all others. */
const REGISTERS: Tile = { blocksM: 1, blocksN: 1, workgroupM: 8, workgroupN: 8, slices: 1 };

/** Trains for three steps, the last of them short; returns parameters, metrics and the plan's dispatches. */
async function trained(runtime: Runtime, limits: MergeLimits, tile?: Tile) {
  const network = networkOfLayers([
    conv2d({ filters: 6, kernelSize: 3, activation: "relu", inputShape: [12, 12, 1] }),
    maxPooling2d(),
    conv2d({ filters: 8, kernelSize: 3, padding: "same", activation: "tanh" }),
    averagePooling2d({ poolSize: 3, strides: 2 }),
    flatten(),
    dense({ units: 20, activation: "relu" }),
    dense({ units: 5, activation: "softmax" }),
  ]);
  const [batch, samples] = [8, 20];
  const dataset = await createDataset(runtime, noise(samples, [12, 12, 1], 5));
  const optimizer = sgd({ learningRate: 0.1 });
  const measures = measuresOf(network, "sparseCategoricalCrossentropy");
  const made = (choices: Choices) =>
    trainingProgram({
      network,
      capacity: batch,
      columns: inputsOf(network),
      adapter: "gpu",
      choices,
      limits,
      measures,
      optimizer,
    });
  const shipped = made({});
  const products = Object.keys(shipped.plan.choices);
  const program = tile ? made(Object.fromEntries(products.map((node) => [node, tile]))) : shipped;
  const executable = await prepare(runtime, program.plan);
  const variables = variablesOf(network, optimizer, measures);
  const store = await VariableStore.create(runtime, variables, { seed: 3, rates: optimizer.hyperparameters });
  const order = await runtime.buffers.createOne({ label: "order", bytes: samples * 4 });
  const { queue } = runtime.device;
  queue.writeBuffer(
    order.buffer,
    0,
    Uint32Array.from({ length: samples }, (_, i) => (i * 7) % samples),
  );
  const cursor = store.cursor("training");
  queue.writeBuffer(cursor.state, 0, sweepState({ step: 0, samples, batch }));
  const port = (kind: PortKind) => program.ports.get(portKey(kind))!;
  const bound = store
    .bindings(program.variables, "training")
    .set(port("input"), dataset.columns[0]!.buffer)
    .set(port("label"), dataset.columns[1]!.buffer)
    .set(port("order"), order.buffer);
  const run = executable.bind(bound);
  const encoder = runtime.device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  for (let step = 0; step < 3; step++) run.encode(pass);
  pass.end();
  queue.submit([encoder.finish()]);
  const words = await readBuffers(runtime, [
    ...store.of("parameter").map(({ buffer, variable }) => ({ buffer, bytes: byteLength(variable) })),
    ...cursor.metrics.map((buffer) => ({ buffer, bytes: buffer.size })),
  ]);
  order.release();
  for (const owner of [executable, store, dataset]) owner.dispose();
  const kernels = program.plan.steps.map(({ kernel }) => kernel);
  return { words: words.map((bytes) => [...new Uint32Array(bytes)]), kernels };
}

describe("a merged dispatch", () => {
  it("gives every part the workgroups and invocations that it would have had alone", async () => {
    const runtime = await testRuntime();
    const alone = await answers(runtime, false);
    expect(alone[0]!.slice(-4)).toEqual([1003, 1002, 1001, 1011]);
    expect(alone[1]!.slice(-4)).toEqual([1023, 1015, 1000, 1005]);
    expect(await answers(runtime, true)).toEqual(alone);
  });

  // What shares a dispatch on every device; where a shader binds more than 8 buffers, others do, too.
  const always = ["dense_filter_gradient + average_pooling2d_gradient", "conv2d_filter_gradient_sum + advance"];
  it.each([
    ["shipped tiles, whose barriers want workgroups of one size", undefined, always],
    ["tiles without barriers", REGISTERS, [...always, "conv2d_input_gradient + conv2d_filter_gradient"]],
  ])("trains to the same bits as its parts one by one: %s", async (_, tile, together) => {
    const runtime = await testRuntime();
    const { maxStorageBuffersPerShaderStage } = runtime.device.limits;
    // Not even kernels without workgroup memory fit together.
    const none = { maxStorageBuffersPerShaderStage, maxComputeWorkgroupStorageSize: -1 };
    const apart = await trained(runtime, none, tile);
    const merged = await trained(runtime, runtime.device.limits, tile);
    expect(apart.kernels.filter((kernel) => kernel.includes("+"))).toEqual([]);
    expect(merged.kernels).toEqual(expect.arrayContaining(together));
    expect(merged.kernels.length).toBeLessThanOrEqual(apart.kernels.length - together.length);
    expect(merged.kernels.flatMap((kernel) => kernel.split(" + ")).sort()).toEqual(apart.kernels.slice().sort());
    expect(merged.words).toEqual(apart.words);
    const [metrics] = merged.words.slice(-1);
    // Samples and steps.
    expect(metrics!.slice(2, 4)).toEqual([20, 3]);
  });
});
