// What the engine tells the page of a training, as it happens.

import type { NetworkSpec } from "../network.ts";
import type { LayerDescription } from "./models.ts";

export interface TrainingSettings {
  /** Training images, the first of MNIST's 60,000. */
  readonly images: number;
  readonly epochs: number;
}

export type TrainingState =
  | "idle"
  | "loading"
  | "compiling"
  | "training"
  | "paused"
  | "finished"
  | "stopped"
  | "failed";

/** A place in a run: `epoch` counts from 0, `step` the steps done in it. */
export interface Place {
  readonly epoch: number;
  readonly step: number;
  /** Wall time over the last seconds, where there is anything to measure. */
  readonly msPerStep: number | undefined;
}

/** Mean over the samples since the point before; `x` in epochs of this network's whole training. */
export interface Point {
  readonly x: number;
  readonly loss: number;
  readonly accuracy: number;
}

/** Training's means are over the whole epoch. */
export interface EpochEnd extends Point {
  readonly validationLoss: number;
  readonly validationAccuracy: number;
}

export interface Mistake {
  /** Of the test image. */
  readonly index: number;
  readonly truth: number;
  readonly read: number;
  /** That the network gives its wrong answer. */
  readonly probability: number;
  /** 28 x 28 bytes. */
  readonly pixels: Uint8Array;
}

/** What the network makes of test images. */
export interface Verdict {
  /** Test images that it was shown, the first ones. */
  readonly images: number;
  /** `counts[truth * 10 + read]` */
  readonly counts: Uint32Array;
  /** The most confident ones, the worst first. */
  readonly mistakes: readonly Mistake[];
  /** The answers to the first images, in order. */
  readonly answers: readonly Answer[];
}

export interface Answer {
  readonly read: number;
  readonly probability: number;
}

/** A run as it begins or, after a lost device, goes on. */
export interface RunFacts extends TrainingSettings {
  /** In epochs, as `Point.x`: what was told of later ones is void. */
  readonly from: number;
  /** Steps an epoch. */
  readonly steps: number;
  readonly batchSize: number;
  /** Test images that each epoch ends with. */
  readonly validationImages: number;
}

export type TrainingEvent =
  | { readonly kind: "state"; readonly state: TrainingState }
  /** `limit` where the network asks for more than the adapter has, `data` where MNIST is missing. */
  | { readonly kind: "failure"; readonly code: string; readonly message: string }
  | { readonly kind: "loading"; readonly received: number; readonly total: number | undefined }
  | { readonly kind: "compiling"; readonly plan: string; readonly compiled: number; readonly total: number }
  /** Another network is there: nothing that was told is about it. */
  | { readonly kind: "fresh" }
  /** The model of now. */
  | { readonly kind: "network"; readonly spec: NetworkSpec; readonly layers: readonly LayerDescription[] }
  | { readonly kind: "run"; readonly facts: RunFacts }
  | { readonly kind: "place"; readonly place: Place }
  | { readonly kind: "point"; readonly point: Point }
  | { readonly kind: "epoch"; readonly end: EpochEnd }
  | { readonly kind: "verdict"; readonly verdict: Verdict }
  /** The weights are others than before. */
  | { readonly kind: "weights" }
  /** The device was lost, and the training goes on with another. */
  | { readonly kind: "recovering"; readonly why: string };

export type Report = (event: TrainingEvent) => void;
