import { anObject, FeaturemapError, finiteNumber, wrong } from "../base/errors.ts";
import { halfToEven } from "../base/rounding.ts";
import { batchShape, elements } from "../base/shape.ts";
import type { ColumnKind } from "../data/columns.ts";
import type { OwnedBuffer } from "../gpu/buffers.ts";
import { readBuffers } from "../gpu/readback.ts";
import type { Feed, FeedColumn } from "../program/feed.ts";

/** Key of what makes weights of samples out of those of classes. Only apps that import `classWeights` ship it. */
export const WEIGH: unique symbol = /* @__PURE__ */ Symbol("weigh");

/** Weights of classes, from `classWeights`, for `fit(x, y, { classWeight })`. */
export interface ClassWeights {
  /** Weight of each class in the loss, by class number. */
  readonly weights: Readonly<Record<number, number>>;
  /** @internal */
  readonly [WEIGH]: Weigher;
}

/** What `fit` does with weights of classes. */
interface Weigher {
  /** @throws FeaturemapError where labels of these columns have no class, or there is no single column of them */
  check(labels: readonly ColumnKind[]): void;
  /** Gives a weight for each label, of `width` numbers, times the weight that its sample has already. */
  factors(labels: ArrayLike<number>, width: number, weights?: ArrayLike<number>): Float32Array<ArrayBuffer>;
  /** Weighs the samples of a feed for as long as `run` runs. */
  weigh<T>(feed: Feed, run: (feed: Feed) => Promise<T>): Promise<T>;
}

/**
 * Weighs classes in the loss of `fit`: `{ 0: 1, 1: 5 }`; others have 1. For one output, whose labels are class numbers or rows of classes,
 * of which the largest counts. Weights that samples have already are multiplied by it, where Keras 3 takes only one of the two.
 *
 * @example
 * await model.fit(x, y, { classWeight: classWeights({ 0: 1, 1: 5 }) });
 * @throws FeaturemapError `value` for a key that is no class number, or a weight that is not finite
 */
export function classWeights(weights: Readonly<Record<number, number>>): ClassWeights {
  const entries = Object.entries(anObject(weights, WHERE));
  for (const [key, weight] of entries) {
    if (!/^\d+$/.test(key)) throw wrong(WHERE, "have class numbers for keys, such as { 0: 1, 1: 5 }", key);
    finiteNumber(weight, `${WHERE}: ${key}`);
  }
  const own: Readonly<Record<number, number>> = Object.fromEntries(entries);
  const factors: Weigher["factors"] = (...given) => factorsOf(own, ...given);
  return {
    weights: own,
    [WEIGH]: { check: assertClasses, factors, weigh: (feed, run) => weighed(feed, factors, run) },
  };
}

const WHERE = "classWeights";

/** Gives each label the weight of its class as Keras does (`keras/src/trainers/data_adapters/data_adapter_utils.py`). */
function factorsOf(
  classWeight: ClassWeights["weights"],
  labels: ArrayLike<number>,
  width: number,
  weights?: ArrayLike<number>,
): Float32Array<ArrayBuffer> {
  return new Float32Array(labels.length / width).map((_, row) => {
    let best = row * width;
    for (let at = best + 1; at < (row + 1) * width; at++) if (labels[at]! > labels[best]!) best = at;
    const number = width === 1 ? halfToEven(labels[best]!) : best - row * width;
    return (classWeight[number] ?? 1) * (weights?.[row] ?? 1);
  });
}

function assertClasses(labels: readonly ColumnKind[]): void {
  const where = "fit: classWeight";
  if (labels.length !== 1) {
    const remedy = "Give sampleWeight by output";
    throw new FeaturemapError("value", `${where} is for one output, got labels of ${labels.length}. ${remedy}.`);
  }
  const { shape } = labels[0]!;
  if (shape.length === 1) return;
  const wanted = "labels of shape [samples], [samples, 1] or [samples, classes]";
  throw new FeaturemapError("shape", `${where} takes ${wanted}, got ${batchShape(shape)}.`);
}

/** Reads the labels of a feed back, once, since they may have been on the GPU all along, and uploads a weight for each. */
async function weighed<T>(feed: Feed, factors: Weigher["factors"], run: (feed: Feed) => Promise<T>): Promise<T> {
  const labels = feed.columns.filter(({ role }) => role === "label");
  assertClasses(labels);
  const label = labels[0]!;
  const given = feed.columns.find(({ role }) => role === "weight");
  const { runtime, rows } = feed.dataset;
  const read = async ({ buffer, dtype, shape }: FeedColumn) => {
    if ((buffer.usage & COPY_SRC) === 0)
      throw wrong("fit: classWeight", "be of labels in a buffer with usage COPY_SRC", buffer);
    const [bytes] = await readBuffers(runtime, [{ buffer, bytes: rows * elements(shape) * 4 }], { maxBytes: 2 ** 24 });
    return dtype === "u32" ? new Uint32Array(bytes!) : new Float32Array(bytes!);
  };
  const values = factors(await read(label), elements(label.shape), given && (await read(given)));
  const owned = await runtime.buffers.create([{ label: "weights", bytes: values.byteLength }], ([buffer]) =>
    runtime.device.queue.writeBuffer(buffer!, 0, values),
  );
  const [{ buffer, release }] = owned as [OwnedBuffer];
  const none = { name: undefined, scale: 1, largestClass: undefined };
  const weight: FeedColumn = { ...none, role: "weight", index: label.index, shape: [], dtype: "f32", buffer };
  const columns = [...feed.columns.filter((column) => column !== given), weight];
  return run({ ...feed, columns }).finally(release);
}

/** GPUBufferUsage.COPY_SRC, as a number: hosts without a global GPUBufferUsage exist. */
const COPY_SRC = 0x4;
