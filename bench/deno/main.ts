// Deno's half of `npm run bench:deno`. Vite bundles it; the systems are the files that the browsers run, too.

import { readFileSync } from "node:fs";
import { dataOf } from "../data.ts";
import {
  BATCHES,
  type BenchData,
  type Group,
  IMAGES_AT,
  LABELS_AT,
  PIXELS,
  type Setup,
  type System,
} from "../systems/system.ts";
import type { DenoFigures, DenoRequest } from "./protocol.ts";

const MODULES: Record<DenoFigures["systems"][number]["name"], () => Promise<{ setup: Setup }>> = {
  featuremap: () => import("../systems/featuremap.ts"),
  "jax-js-webgpu": () => import("../systems/jax-js-webgpu.ts"),
};

type Runner = DenoFigures["systems"][number] & { readonly system: System; readonly group: Group };

async function main({ network, rounds, groupMs, mnist }: DenoRequest): Promise<DenoFigures> {
  const adapter = await navigator.gpu?.requestAdapter();
  if (!adapter)
    throw new Error("Deno has no WebGPU adapter here: it needs Vulkan, Metal or D3D12 (Mesa's llvmpipe will do).");
  const data = await dataOf((samples) => mnistOf(mnist, samples), network);
  const runners: Runner[] = [];
  for (const name of ["featuremap", "jax-js-webgpu"] as const) runners.push(await start(name, data, groupMs));
  for (let round = 1; round <= rounds; round++) {
    for (const { name, system, group, stepMs } of runners) {
      stepMs.push((await timed(system, group)) / group.steps);
      console.error(`round ${round} of ${rounds}: ${name} ${stepMs.at(-1)!.toFixed(0)} ms a step`);
    }
  }
  const { vendor, architecture, device, description } = adapter.info;
  return {
    deno: (globalThis as unknown as { Deno: { version: { deno: string } } }).Deno.version.deno,
    adapter: description || [vendor, architecture, device].join(" "),
    systems: runners.map(({ name, computed, firstStepMs, stepMs }) => ({ name, computed, firstStepMs, stepMs })),
  };
}

async function start(name: Runner["name"], data: BenchData, groupMs: number): Promise<Runner> {
  const begin = performance.now();
  const system = await (await MODULES[name]()).setup(data);
  const losses = [await system.train({ first: 0, steps: 1, epochs: 1 })];
  const firstStepMs = performance.now() - begin;
  let warmMs = 0;
  for (const first of [1, 2]) {
    const at = performance.now();
    losses.push(await system.train({ first, steps: 1, epochs: 1 }));
    warmMs = performance.now() - at;
  }
  const probabilities = [...(await system.infer(data.network.batch)).subarray(0, 10)];
  const steps = Math.min(BATCHES, Math.max(1, Math.round(groupMs / warmMs)));
  const group = { first: 0, steps, epochs: 1 };
  await system.prepare?.(group);
  console.error(`${name}: first step after ${firstStepMs.toFixed(0)} ms, then ${warmMs.toFixed(0)} ms a step`);
  return { name, system, group, computed: { losses, probabilities }, firstStepMs, stepMs: [] };
}

async function timed(system: System, group: Group): Promise<number> {
  const begin = performance.now();
  await system.train(group);
  return performance.now() - begin;
}

async function mnistOf(folder: string, samples: number) {
  const bytesOf = (file: string, from: number, length: number) =>
    new Uint8Array(readFileSync(`${folder}/${file}`)).slice(from, from + length);
  return {
    images: bytesOf("train-images-idx3-ubyte", IMAGES_AT, samples * PIXELS),
    labels: bytesOf("train-labels-idx1-ubyte", LABELS_AT, samples),
  };
}

console.log(JSON.stringify(await main(JSON.parse(process.argv[2]!) as DenoRequest)));
process.exit(0);
