import stateSource from "../../../shaders/lib/state.wgsl";
import deviationSource from "../../../shaders/normalization/lib/deviation.wgsl";
import lanesSource from "../../../shaders/normalization/lib/lanes.wgsl";
import positionsSource from "../../../shaders/normalization/lib/positions.wgsl";
import statisticsSource from "../../../shaders/normalization/lib/statistics.wgsl";
import { FeaturemapError } from "../../base/errors.ts";
import { ceilDiv, elements, type Shape, showShape } from "../../base/shape.ts";
import type { Tensor, TensorSpec } from "../../graph/tensor.ts";
import type { AdapterClass } from "../../graph/tile.ts";
import type { Source } from "../../wgsl/specialize.ts";
import { operand } from "../access.ts";

/** Sizes of a tensor whose last axis is channels, and their names in the shaders. */
export function positionsOf(shape: Shape) {
  const [batch, channels] = [shape[0]!, shape.at(-1)!];
  const pixels = elements(shape) / batch / channels;
  const sources: readonly Source[] = [
    { ...positionsSource, given: { BATCH: batch, PIXELS: pixels, C: channels } },
    stateSource,
  ];
  return { channels, positions: batch * pixels, sources };
}

/**
 * Positions in a row that one invocation normalizes, and invocations. A processor computes the scale of its channels once for all of
 * them; a GPU wants many invocations.
 */
export function runsFor(
  { channels, positions }: { readonly channels: number; readonly positions: number },
  adapter: AdapterClass,
) {
  const run = adapter === "gpu" ? 1 : 8;
  return { RUN: run, invocations: ceilDiv(positions, run) * ceilDiv(channels, 4) };
}

/** @throws FeaturemapError `shape` unless each of the tensors that are there has a number for each channel of x */
export function assertChannels(
  x: TensorSpec,
  tensors: Readonly<Record<string, TensorSpec | undefined>>,
  where: string,
): void {
  const channels = x.shape.at(-1);
  const wrong = Object.entries(tensors).find(
    ([, of]) => of && !(x.shape.length > 1 && of.shape.length === 1 && of.shape[0] === channels),
  );
  if (!wrong) return;
  const [name, of] = wrong;
  const got = `got ${showShape(of!.shape)} for x ${showShape(x.shape)}`;
  throw new FeaturemapError("shape", `"${where}" wants ${name} to have a number for each channel of x, ${got}.`);
}

/** What computes 1 / sqrt(variance + epsilon), beside `lib/nan.wgsl`. */
export function deviation(epsilon: number): Source {
  return { ...deviationSource, given: { EPSILON: epsilon } };
}

/** What channels are normalized by: the moments [3, channels] of a batch, or a mean, a variance and perhaps a gamma that are given. */
export interface Statistics {
  readonly moments?: Tensor | undefined;
  readonly mean?: Tensor | undefined;
  readonly variance?: Tensor | undefined;
  readonly gamma?: Tensor | undefined;
}

/** What a kernel binds of them, and what it reads them by, beside `lib/nan.wgsl`. One that does not scale binds no gamma. */
export function statisticsCall(
  { moments, mean, variance, gamma }: Statistics,
  { channels, epsilon, scales }: { readonly channels: number; readonly epsilon: number; readonly scales: boolean },
) {
  const given = { OF_BATCH: moments !== undefined, HAS_GAMMA: scales && gamma !== undefined };
  const letters = ["moments", "mean", "variance", "gamma"];
  const libraries: readonly Source[] = [
    { ...statisticsSource, given },
    deviation(epsilon),
    ...letters.map((letter) => operand(letter, channels)),
  ];
  return { bind: moments ? { moments } : { mean, variance, gamma: scales ? gamma : undefined }, libraries };
}

/** How the positions of each channel are shared out among lanes, and what the kernel that adds their slices is called with. */
export function lanesFor(channels: number, positions: number, adapter: AdapterClass) {
  const blocks = ceilDiv(channels, 4);
  // On GPUs lanes side by side read what lies side by side, 128 bytes of it.
  const across = adapter === "gpu" ? Math.min(8, 2 ** Math.ceil(Math.log2(blocks))) : 1;
  const lanes = 64 / across;
  const slices = adapter === "gpu" ? slicesOfGpu(positions, lanes) : slicesOfProcessor(positions, blocks);
  const sourceOf = (ACROSS: number): Source => ({
    ...lanesSource,
    given: { ACROSS, SLICES: slices, LANES: lanes },
  });
  return {
    slices,
    source: sourceOf(across),
    workgroups: [ceilDiv(blocks, across), slices, 1] as const,
    total: { source: sourceOf(1), workgroups: [blocks, 1, 1] as const },
    partial: { shape: [slices, 2, channels], dtype: "f32" } as const,
  };
}

/** One of few turns a lane. Else lanes take about as many turns as those that add the slices, 64 at a time. */
function slicesOfGpu(positions: number, lanes: number): number {
  const turns = positions / lanes;
  if (turns <= 32) return 1;
  return Math.ceil(Math.min(Math.sqrt((positions * 64) / lanes), turns / 4));
}

/** A few workgroups for the cores, where there is enough to share. */
function slicesOfProcessor(positions: number, blocks: number): number {
  return positions < 4096 ? 1 : ceilDiv(8, blocks);
}
