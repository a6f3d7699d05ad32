// What the benches of our own figures ask of a host: a page, Node or Deno. Everything here runs beside the GPU.

import { type AdapterSummary, createRuntime, type Runtime } from "../../src/gpu/runtime.ts";
import { dataOf, type LoadMnist } from "../data.ts";
import type { NetworkName } from "../networks.ts";
import { setup } from "../systems/featuremap.ts";
import type { Group, System } from "../systems/system.ts";
import type { KernelFigures, KernelsRequest } from "./figures.ts";
import { measureKernels } from "./kernels.ts";
import { createPoint, type Point, type PointSpec } from "./point.ts";

export interface LabInfo {
  readonly adapter: AdapterSummary;
  /** The browser, Node or Deno, with its version. */
  readonly host: string;
}

export interface Lab {
  info(): Promise<LabInfo>;
  kernels(network: NetworkName, request: KernelsRequest): Promise<KernelFigures>;
  /** Our system as `npm run bench` has it: ready, with its first step made. */
  open(network: NetworkName): Promise<{ firstStepMs: number }>;
  /** Milliseconds of a group of steps. */
  train(group: Group): Promise<number>;
  /** Milliseconds of some inferences of `batch` images, one after another. */
  infer(batch: number, times: number): Promise<number>;
  /** Readies a point of the scaling bench. */
  addPoint(spec: PointSpec): Promise<void>;
  /** Milliseconds a step of a point, over as many steps as fill about `ms`. */
  timePoint(index: number, ms: number): Promise<number>;
}

export function createLab(host: string, load: LoadMnist, say: (line: string) => void): Lab {
  let made: Promise<Runtime> | undefined;
  const runtime = () => {
    made ??= createRuntime();
    return made;
  };
  let system: System;
  const points: Point[] = [];
  return {
    info: async () => ({ adapter: (await runtime()).adapter, host }),
    kernels: async (name, request) => measureKernels(await runtime(), await dataOf(load, name), request, say),
    async open(name) {
      const data = await dataOf(load, name);
      const start = performance.now();
      system = await setup(data);
      await system.train({ first: 0, steps: 1, epochs: 1 });
      return { firstStepMs: performance.now() - start };
    },
    async train(group) {
      await system.prepare?.(group);
      const start = performance.now();
      await system.train(group);
      return performance.now() - start;
    },
    async infer(batch, times) {
      const start = performance.now();
      for (let i = 0; i < times; i++) await system.infer(batch);
      return performance.now() - start;
    },
    async addPoint(spec) {
      points.push(await createPoint(await runtime(), spec, load));
    },
    timePoint: (index, ms) => points[index]!.time(ms),
  };
}
