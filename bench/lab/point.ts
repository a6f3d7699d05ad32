// A point of the scaling bench: one network, one batch size, one size of data set.

import type { Runtime } from "../../src/gpu/runtime.ts";
import { feedOf } from "../../src/model/calls.ts";
import type { LoadMnist } from "../data.ts";
import { NETWORKS, resized } from "../networks.ts";
import { compiledModel, sweepSettings, uploaded } from "./step.ts";

export interface PointSpec {
  readonly batch: number;
  /** Times the article's filters. */
  readonly filters: number;
  /** Images in the data set. */
  readonly samples: number;
}

export interface Point {
  /** Milliseconds a step, over shuffled sweeps of about so many milliseconds in all. */
  time(ms: number): Promise<number>;
}

/** Compiles the point's model, uploads its data and makes the first steps. */
export async function createPoint(runtime: Runtime, spec: PointSpec, load: LoadMnist): Promise<Point> {
  const { batch, samples } = spec;
  const network = resized(NETWORKS.article, spec);
  const { compiled, network: built } = await compiledModel(runtime, network);
  const dataset = await uploaded(runtime, { ...(await load(samples)), network }, samples);
  const feed = feedOf(dataset, built, compiled.settings.training, {});
  const time = async (ms: number) => {
    const before = compiled.counts.steps;
    const start = performance.now();
    for (let sweep = 0; performance.now() - start < ms; sweep++) {
      const enough = new AbortController();
      const onProgress = () => {
        if (performance.now() - start >= ms) enough.abort();
      };
      const settings = { ...sweepSettings(batch, "auto"), signal: enough.signal, onProgress };
      const trainer = await compiled.trainer(feed, settings);
      await trainer.epoch(sweep);
      trainer.dispose();
    }
    return (performance.now() - start) / (compiled.counts.steps - before);
  };
  await time(1);
  return { time };
}
