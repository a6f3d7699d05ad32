// Compiles pipelines one after the other and says of each when it begins and what it took: in Node on Dawn, or in Deno. A line of
// JSON each, on stdout. Who started this process ends it where it takes too long.

import { readFileSync } from "node:fs";
import process from "node:process";
import { installDawn, loadDawn } from "../dawn.ts";

export interface SweptPipeline {
  readonly kernel: string;
  /** The network, its batch, the class of adapter and the plan. */
  readonly from: string;
  readonly choices: object;
  /** Of each binding's buffer. */
  readonly bytes: readonly number[];
  readonly code: string;
  readonly entryPoint: string;
  readonly bindings: readonly { readonly name: string; readonly access: "read" | "write" }[];
}

/** What the worker is started with, as JSON. */
export interface WorkerRequest {
  /** File of the pipelines, as JSON. */
  readonly file: string;
  /** Which of them to compile. */
  readonly indices: readonly number[];
  /** Dawn's package; without it the host has WebGPU. */
  readonly dawn?: string;
  /** Some drivers compile only when a pipeline first runs: one workgroup of it, on zeros. */
  readonly runs: boolean;
}

export type WorkerLine =
  | { readonly adapter: string }
  | { readonly begins: number }
  /** Milliseconds of the processor's, which other programs beside do not change. */
  | { readonly done: number; readonly ms: number }
  | { readonly failed: number; readonly why: string };

const say = (line: WorkerLine) => process.stdout.write(`${JSON.stringify(line)}\n`);

async function main({ file, indices, dawn, runs }: WorkerRequest): Promise<void> {
  if (dawn !== undefined) installDawn(await loadDawn(dawn));
  const adapter = await navigator.gpu.requestAdapter();
  if (!adapter) throw new Error("There is no adapter.");
  say({ adapter: [adapter.info.vendor, adapter.info.architecture, adapter.info.description].join(" ") });
  const features = (["subgroups"] as GPUFeatureName[]).filter((feature) => adapter.features.has(feature));
  const names = ["maxStorageBuffersPerShaderStage", "maxComputeWorkgroupStorageSize", "maxBufferSize"] as const;
  const requiredLimits = Object.fromEntries(names.map((name) => [name, adapter.limits[name]]));
  const device = await adapter.requestDevice({ requiredFeatures: features, requiredLimits });
  const pipelines = JSON.parse(readFileSync(file, "utf8")) as SweptPipeline[];
  for (const index of indices) {
    say({ begins: index });
    const used = process.cpuUsage();
    const why = await compile(device, pipelines[index]!, runs).catch((error) => String(error));
    const { user, system } = process.cpuUsage(used);
    say(why === undefined ? { done: index, ms: (user + system) / 1000 } : { failed: index, why });
  }
}

/** Why not, where the device refuses it. */
async function compile(device: GPUDevice, pipeline: SweptPipeline, runs: boolean): Promise<string | undefined> {
  const { code, entryPoint, bindings, bytes } = pipeline;
  device.pushErrorScope("validation");
  const type = { read: "read-only-storage", write: "storage" } as const;
  const layout = device.createBindGroupLayout({
    entries: bindings.map(({ access }, binding) => ({ binding, visibility: 4, buffer: { type: type[access] } })),
  });
  const module = device.createShaderModule({ code });
  const compiled = device.createComputePipelineAsync({
    layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
    compute: { module, entryPoint },
  });
  // The error scope is ended first, for `compiled` is awaited.
  const invalid = device.popErrorScope();
  const made = await compiled;
  const error = await invalid;
  if (error) return error.message;
  if (runs) await runOnce(device, made, layout, bytes);
}

async function runOnce(
  device: GPUDevice,
  pipeline: GPUComputePipeline,
  layout: GPUBindGroupLayout,
  bytes: readonly number[],
) {
  const buffers = bytes.map((size) => device.createBuffer({ size: Math.min(size, 2 ** 24), usage: 0x80 }));
  const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, device.createBindGroup({ layout, entries }));
  pass.dispatchWorkgroups(1);
  pass.end();
  device.queue.submit([encoder.finish()]);
  await device.queue.onSubmittedWorkDone();
  for (const buffer of buffers) buffer.destroy();
}

main(JSON.parse(process.argv.at(-1)!) as WorkerRequest).then(
  () => process.exit(0),
  (error) => {
    console.error(String(error));
    process.exit(1);
  },
);
