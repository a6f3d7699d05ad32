import { FeaturemapError } from "../base/errors.ts";
import { elements, type Shape, sameShape, showShape } from "../base/shape.ts";
import type { TensorData } from "../data/tensor.ts";

/** Mean and biased variance of numbers, for each place along some axes. */
export interface Moments {
  /** Sizes of these axes. */
  readonly shape: Shape;
  readonly count: number;
  readonly mean: Float64Array;
  readonly variance: Float64Array;
}

/** Gives the moments of data [samples, ...] for each place along the axes, in float64: first the means, then the deviations. */
export function momentsOf({ data, shape, scale = 1 }: TensorData, axes: readonly number[]): Moments {
  const kept = axes.map((axis) => shape[axis]!);
  const placeOf = placesAlong(shape, axes);
  const places = elements(kept);
  const count = data.length / places;
  const mean = new Float64Array(places);
  for (let i = 0; i < data.length; i++) mean[placeOf(i)]! += data[i]! * scale;
  for (let place = 0; place < places; place++) mean[place]! /= count;
  const variance = new Float64Array(places);
  for (let i = 0; i < data.length; i++) {
    const place = placeOf(i);
    variance[place]! += (data[i]! * scale - mean[place]!) ** 2;
  }
  for (let place = 0; place < places; place++) variance[place]! /= count;
  return { shape: kept, count, mean, variance };
}

/** Gives the place along the axes of each element of a tensor. */
function placesAlong(shape: Shape, axes: readonly number[]): (element: number) => number {
  let stride = elements(shape);
  let places = elements(axes.map((axis) => shape[axis]!));
  const steps: { readonly stride: number; readonly size: number; readonly places: number }[] = [];
  shape.forEach((size, axis) => {
    stride /= size;
    if (!axes.includes(axis)) return;
    places /= size;
    steps.push({ stride, size, places });
  });
  return (element) => {
    let place = 0;
    for (const step of steps) place += (Math.floor(element / step.stride) % step.size) * step.places;
    return place;
  };
}

/** Joins the moments of two parts of the data (Chan, Golub and LeVeque 1979). @throws FeaturemapError `shape` where their places differ */
export function joinedMoments(a: Moments, b: Moments, where: string): Moments {
  if (!sameShape(a.shape, b.shape)) {
    const got = `${showShape(a.shape)} and ${showShape(b.shape)}`;
    throw new FeaturemapError("shape", `${where}: batches must agree along the axes that are kept, got ${got}.`);
  }
  const count = a.count + b.count;
  const share = b.count / count;
  const apart = a.mean.map((mean, i) => b.mean[i]! - mean);
  return {
    shape: a.shape,
    count,
    mean: a.mean.map((mean, i) => mean + apart[i]! * share),
    variance: a.variance.map((of, i) => of + (b.variance[i]! - of) * share + apart[i]! ** 2 * share * (1 - share)),
  };
}
