// The browser's half of `npm run bench`: it holds one system and times what the command asks for.

import { dataOf } from "../data.ts";
import { difference, installLedger, type Ledger } from "../ledger/ledger.ts";
import {
  type BenchData,
  IMAGES_AT,
  LABELS_AT,
  PIXELS,
  type Setup,
  type System,
  type SystemName,
} from "../systems/system.ts";
import type { FirstStep, PageInfo } from "./protocol.ts";

const MODULES: Record<SystemName, () => Promise<{ setup: Setup }>> = {
  featuremap: () => import("../systems/featuremap.ts"),
  "tfjs-webgpu": () => import("../systems/tfjs-webgpu.ts"),
  "tfjs-webgl": () => import("../systems/tfjs-webgl.ts"),
  "tfjs-cpu": () => import("../systems/tfjs-cpu.ts"),
  "jax-js-webgpu": () => import("../systems/jax-js-webgpu.ts"),
  "jax-js-wasm": () => import("../systems/jax-js-wasm.ts"),
  "borch-webgpu": () => import("../systems/borch-webgpu.ts"),
};

let data: BenchData;
let system: System;
let ledger: Ledger | undefined;

globalThis.featuremapBench = {
  async load(name, withLedger) {
    if (withLedger) ledger = installLedger();
    data = await dataOf(mnist, name);
    return pageInfo();
  },
  async first(name): Promise<FirstStep> {
    const start = performance.now();
    const { setup } = await MODULES[name]();
    const imported = performance.now();
    system = await setup(data);
    const ready = performance.now();
    const loss = await system.train({ first: 0, steps: 1, epochs: 1 });
    return {
      importMs: imported - start,
      setupMs: ready - imported,
      totalMs: performance.now() - start,
      loss,
    };
  },
  async train(group) {
    await system.prepare?.(group);
    const before = ledger?.calls();
    const start = performance.now();
    const loss = await system.train(group);
    return { ms: performance.now() - start, loss, calls: before && difference(ledger!.calls(), before) };
  },
  async infer(batch, times) {
    let probabilities = new Float32Array();
    await system.prepareInfer?.(batch);
    const start = performance.now();
    for (let i = 0; i < times; i++) probabilities = new Float32Array(await system.infer(batch));
    return { ms: performance.now() - start, probabilities: [...probabilities.subarray(0, 10)] };
  },
  peakBytes: () => Math.max(ledger?.bytes().peak ?? 0, system.gpuBytes?.() ?? 0),
};

async function mnist(samples: number) {
  const [images, labels] = await Promise.all([
    bytesOf("train-images-idx3-ubyte", IMAGES_AT, samples * PIXELS),
    bytesOf("train-labels-idx1-ubyte", LABELS_AT, samples),
  ]);
  return { images, labels };
}

async function bytesOf(name: string, from: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(`/mnist/${name}`);
  if (!response.ok) throw new Error(`HTTP ${response.status} for ${name}`);
  return new Uint8Array(await response.arrayBuffer(), from, length).slice();
}

async function pageInfo(): Promise<PageInfo> {
  const adapter = await navigator.gpu?.requestAdapter();
  const { vendor = "", architecture = "", device = "", description = "" } = adapter?.info ?? {};
  const words = [vendor, architecture, device, description].filter((word, i, all) => word && all.indexOf(word) === i);
  return {
    adapter: words.join(" ") || "none",
    software: adapter?.info.isFallbackAdapter === true || /swiftshader|llvmpipe/i.test(words.join(" ")),
    crossOriginIsolated: globalThis.crossOriginIsolated,
    threads: navigator.hardwareConcurrency,
  };
}
