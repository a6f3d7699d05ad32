// What the kernel bench measures, as plain data: it crosses from the host to the command.

import type { Calls } from "../ledger/ledger.ts";
import { median } from "../statistics.ts";

/** A product of matrices [m, k] x [k, n]. */
export interface Product {
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

/** A dispatch of the plan, and its milliseconds in each round. */
export interface DispatchFigures {
  readonly node: string;
  readonly kernel: string;
  readonly workgroups: readonly [number, number, number];
  /** Numbers of the plan's buffers that it reads, and that it writes. */
  readonly reads: readonly number[];
  readonly writes: readonly number[];
  readonly ms: number[];
}

export interface MatmulFigures extends Product {
  readonly label: string;
  readonly ms: number[];
}

export interface KernelFigures {
  readonly method: "timestamps" | "wall clock";
  readonly layerNames: readonly string[];
  readonly dispatches: readonly DispatchFigures[];
  /** The whole step in one pass, milliseconds in each round. */
  readonly stepMs: readonly number[];
  /** The product 1024 x 1024 x 1024 by every family; those behind the best three have their first times only. */
  readonly square: readonly MatmulFigures[];
  /** For each layer that multiplies, the best families' products of its work: in its shape and as a cube. */
  readonly equal: readonly { readonly layer: number; readonly matmuls: readonly MatmulFigures[] }[];
  readonly encode: EncodeFigures;
  readonly counts: CountFigures;
}

/** Milliseconds of JavaScript to record one step of the plan made for a GPU, without its submit. */
export interface EncodeFigures {
  readonly dispatches: number;
  readonly ms: readonly number[];
}

/** What `steps` more steps call, 16 steps a submit; they are of one sample, which changes no count. */
export interface CountFigures {
  readonly steps: number;
  readonly calls: Calls;
}

export interface KernelsRequest {
  readonly rounds: number;
}

/** The fastest of the products that took part in all rounds, by its median. */
export function bestOf(matmuls: readonly MatmulFigures[]): {
  readonly gflops: number;
  readonly figures: MatmulFigures;
} {
  const rounds = Math.max(...matmuls.map(({ ms }) => ms.length));
  const rated = matmuls
    .filter(({ ms }) => ms.length === rounds)
    .map((figures) => ({ figures, gflops: gflopsOf(figures) }));
  return rated.reduce((a, b) => (b.gflops > a.gflops ? b : a));
}

/** GFLOP/s by the median. */
export function gflopsOf({ m, n, k, ms }: MatmulFigures): number {
  return (2 * m * n * k) / 1e6 / median(ms);
}
