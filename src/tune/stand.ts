import { FeaturemapError } from "../base/errors.ts";
import type { OwnedBuffer } from "../gpu/buffers.ts";
import { checked } from "../gpu/checked.ts";
import type { Runtime } from "../gpu/runtime.ts";
import type { TensorId } from "../graph/graph.ts";
import { assertWithinLimits } from "../plan/limits.ts";
import { Plan, type PlanStep } from "../plan/plan.ts";
import { createStopwatch, type Stopwatch } from "./stopwatch.ts";

/** Some dispatches of a plan, to be timed together. */
export interface Part {
  readonly plan: Plan;
  readonly steps: readonly PlanStep[];
}

/** Where dispatches are timed. */
export interface Stand {
  readonly timingMs: number;
  /** How many of a part's pipelines are not compiled yet. */
  missing(part: Part): number;
  /** Compiles a part's pipelines. @throws FeaturemapError `limit`, `device` where the device cannot run it */
  compile(part: Part): Promise<void>;
  /** Lets the pipelines of dispatches go. */
  forget(steps: readonly PlanStep[]): void;
  /** Readies compiled parts for timing; they replace those before them. */
  mount(parts: readonly Part[]): Promise<void>;
  /** Milliseconds that so many runs of a mounted part take, by its place. */
  time(part: number, runs: number): Promise<number>;
  dispose(): void;
}

/** The words of the step's state, by the tensor that holds them. */
export interface StateWords {
  readonly tensor: TensorId;
  readonly words: Uint32Array<ArrayBuffer>;
}

/** A stand on the device. It runs on buffers of its own, so that nothing of a model changes. */
export function createStand(runtime: Runtime, state: StateWords): Stand {
  return new DeviceStand(runtime, state);
}

/** What a dispatch binds: the step's state, or the buffer of a use that is so large among the dispatch's. */
type Slot = "state" | `${"read" | "write"} ${number}`;

class DeviceStand implements Stand {
  readonly #runtime: Runtime;
  readonly #state: StateWords;
  readonly #watch: Stopwatch;
  readonly #pipelines = new Map<string, GPUComputePipeline>();
  #buffers: readonly OwnedBuffer[] = [];
  #mounted: readonly ((pass: GPUComputePassEncoder) => void)[] = [];

  constructor(runtime: Runtime, state: StateWords) {
    this.#runtime = runtime;
    this.#state = state;
    this.#watch = createStopwatch(runtime);
  }

  get timingMs(): number {
    return this.#watch.timingMs;
  }

  missing({ steps }: Part): number {
    return new Set(steps.map(({ shader }) => shader.code).filter((code) => !this.#pipelines.has(code))).size;
  }

  async compile({ plan, steps }: Part): Promise<void> {
    const buffers = new Set(steps.flatMap((step) => step.buffers));
    const small = { ...plan, buffers: plan.buffers.filter((_, i) => buffers.has(i)), steps };
    assertWithinLimits(new Plan(small), this.#runtime.device.limits);
    const compiling = steps.map(async ({ shader }) => {
      this.#pipelines.set(shader.code, await this.#runtime.pipelines.get(shader));
    });
    await Promise.all(compiling);
  }

  forget(steps: readonly PlanStep[]): void {
    for (const { shader } of steps) {
      this.#pipelines.delete(shader.code);
      this.#runtime.pipelines.forget(shader);
    }
  }

  /**
   * A dispatch's buffers are told apart by use and by their rank in size, and each rank's is as large as the largest of its
   * rank. What is only read stays zero, so that no value grows from run to run, and none is slow to compute with.
   */
  async mount(parts: readonly Part[]): Promise<void> {
    this.#clear();
    const steps = parts.flatMap((part) => part.steps.map((step) => ({ ...part, step })));
    const slots = steps.map(({ plan, step }) => this.#slotsOf(plan, step));
    const sizes = new Map<Slot, number>();
    for (const { slot, bytes } of slots.flat()) sizes.set(slot, Math.max(bytes, sizes.get(slot) ?? 0));
    const requests = [...sizes].map(([slot, bytes]) => ({ label: `tuning: ${slot}`, bytes }));
    const state = [...sizes.keys()].indexOf("state");
    this.#buffers = await this.#runtime.buffers.create(requests, (buffers) => {
      if (state >= 0) this.#runtime.device.queue.writeBuffer(buffers[state]!, 0, this.#state.words);
    });
    const places = new Map([...sizes.keys()].map((slot, i) => [slot, this.#buffers[i]!.buffer]));
    let runs: ((pass: GPUComputePassEncoder) => void)[] = [];
    await checked(this.#runtime, "tuning", () => {
      runs = steps.map(({ step }, i) => this.#encoderOf(step, slots[i]!, places));
    });
    let at = 0;
    this.#mounted = parts.map((part) => {
      const own = runs.slice(at, at + part.steps.length);
      at += part.steps.length;
      return (pass) => {
        for (const run of own) run(pass);
      };
    });
  }

  async time(part: number, runs: number): Promise<number> {
    this.#runtime.assertLive();
    const run = this.#mounted[part]!;
    return this.#watch.time((pass) => {
      for (let i = 0; i < runs; i++) run(pass);
    });
  }

  dispose(): void {
    this.#clear();
    this.#watch.dispose();
  }

  #clear(): void {
    for (const owned of this.#buffers) owned.release();
    this.#buffers = [];
    this.#mounted = [];
  }

  /** A slot for each binding of a dispatch. */
  #slotsOf(plan: Plan, { shader, buffers }: PlanStep): { readonly slot: Slot; readonly bytes: number }[] {
    const bytesOf = (buffer: number) => plan.buffers[buffer]!.bytes;
    const isState = (buffer: number) => plan.buffers[buffer]!.bound === this.#state.tensor;
    const ranked = [...new Set(buffers)].sort((a, b) => bytesOf(b) - bytesOf(a));
    const access = (buffer: number) => shader.bindings[buffers.indexOf(buffer)]!.access;
    return buffers.map((buffer) => {
      const bytes = bytesOf(buffer);
      if (isState(buffer)) return { slot: "state", bytes };
      const peers = ranked.filter((other) => access(other) === access(buffer) && !isState(other));
      return { slot: `${access(buffer)} ${peers.indexOf(buffer)}`, bytes };
    });
  }

  #encoderOf(
    { node, shader, workgroups }: PlanStep,
    slots: readonly { readonly slot: Slot; readonly bytes: number }[],
    places: ReadonlyMap<Slot, GPUBuffer>,
  ): (pass: GPUComputePassEncoder) => void {
    const { device, pipelines } = this.#runtime;
    const pipeline = this.#pipelines.get(shader.code);
    if (!pipeline) throw new FeaturemapError("state", `The kernel of "${node}" was not compiled before its timing.`);
    const group = device.createBindGroup({
      label: `tuning: ${node}`,
      layout: pipelines.layout(shader),
      entries: slots.map(({ slot, bytes }, binding) => ({
        binding,
        resource: { buffer: places.get(slot)!, size: bytes },
      })),
    });
    return (pass) => {
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(...workgroups);
    };
  }
}
