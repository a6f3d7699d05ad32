import type { Calls } from "../ledger/ledger.ts";
import type { NetworkName } from "../networks.ts";
import type { Group, SystemName } from "../systems/system.ts";

export interface PageInfo {
  readonly adapter: string;
  readonly software: boolean;
  /** Without it jax-js's wasm device has one thread. */
  readonly crossOriginIsolated: boolean;
  readonly threads: number;
}

/** Milliseconds from the call of `import()`. */
export interface FirstStep {
  readonly importMs: number;
  readonly setupMs: number;
  /** To the end of the first step: the sum of all. */
  readonly totalMs: number;
  readonly loss: number;
}

export interface Timed {
  readonly ms: number;
  readonly loss: number;
  /** What the group called, with the ledger. */
  readonly calls: Calls | undefined;
}

/** What `npm run bench` calls in a page. Every page holds one system. */
export interface BenchPage {
  /** Loads MNIST and the weights, so that no later figure holds them. */
  load(network: NetworkName, withLedger: boolean): Promise<PageInfo>;
  first(name: SystemName): Promise<FirstStep>;
  train(group: Group): Promise<Timed>;
  /** `times` inferences, one after the other. */
  infer(batch: number, times: number): Promise<{ ms: number; probabilities: number[] }>;
  peakBytes(): number;
}

declare global {
  var featuremapBench: BenchPage | undefined;
}
