import { FeaturemapError } from "../base/errors.ts";
import type { OwnedBuffer } from "../gpu/buffers.ts";
import { inErrorScope } from "../gpu/error-scope.ts";
import type { Runtime } from "../gpu/runtime.ts";
import type { TensorId } from "../graph/tensor.ts";
import { assertWithinLimits } from "../plan/limits.ts";
import { Plan, type PlanStep } from "../plan/plan.ts";
import { createStopwatch, type Stopwatch } from "./stopwatch.ts";

/** Dispatches of a plan that are timed together. */
export interface DispatchGroup {
  readonly plan: Plan;
  readonly steps: readonly PlanStep[];
}

/** TimingRig where dispatches are timed. */
export interface TimingRig {
  readonly timingMs: number;
  /** Counts a group's pipelines that are not compiled yet. */
  uncompiled(group: DispatchGroup): number;
  /** Compiles a group's pipelines. @throws FeaturemapError `limit`, `device` where the device cannot run it */
  compile(group: DispatchGroup): Promise<void>;
  /** Forgets the pipelines of dispatches. */
  forget(steps: readonly PlanStep[]): void;
  /** Readies compiled groups for timing. They replace the groups before them. */
  mount(groups: readonly DispatchGroup[]): Promise<void>;
  /** Times some runs of a mounted group, in ms. `group` is its place in the list. */
  time(group: number, runs: number): Promise<number>;
  dispose(): void;
}

/** Words of the step's state, and the tensor that holds them. */
export interface StateWords {
  readonly tensor: TensorId;
  readonly words: Uint32Array<ArrayBuffer>;
}

/** Makes a rig on the device. It has its own buffers, so that nothing of a model changes. */
export function createTimingRig(runtime: Runtime, state: StateWords): TimingRig {
  return new GpuTimingRig(runtime, state);
}

/** Slot of a binding: the step's state, or a use with the buffer's rank in size among the dispatch's buffers of that use. */
type Slot = "state" | `${"read" | "write"} ${number}`;

class GpuTimingRig implements TimingRig {
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

  uncompiled({ steps }: DispatchGroup): number {
    return new Set(steps.map(({ shader }) => shader.code).filter((code) => !this.#pipelines.has(code))).size;
  }

  async compile({ plan, steps }: DispatchGroup): Promise<void> {
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
   * Makes one buffer for each use and rank in size, as large as the largest of them. Buffers that are only read stay zero. So no
   * value grows from run to run, and none is slow to compute with.
   */
  async mount(groups: readonly DispatchGroup[]): Promise<void> {
    this.#clear();
    const steps = groups.flatMap((group) => group.steps.map((step) => ({ ...group, step })));
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
    await inErrorScope(this.#runtime, "tuning", () => {
      runs = steps.map(({ step }, i) => this.#encoderOf(step, slots[i]!, places));
    });
    let at = 0;
    this.#mounted = groups.map((group) => {
      const own = runs.slice(at, at + group.steps.length);
      at += group.steps.length;
      return (pass) => {
        for (const run of own) run(pass);
      };
    });
  }

  async time(group: number, runs: number): Promise<number> {
    this.#runtime.assertLive();
    const run = this.#mounted[group]!;
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

  /** Gives a slot for each binding of a dispatch. */
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
