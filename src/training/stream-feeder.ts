import type { BatchReader } from "../data/batches.ts";
import type { DataInputs, HostData } from "../data/columns.ts";
import type { Dataset } from "../data/dataset.ts";
import type { Runtime } from "../gpu/runtime.ts";
import { BatchSlot } from "../program/batch-slot.ts";
import type { Feed } from "../program/feed.ts";
import type { PlanKind } from "../program/plans.ts";
import type { SweepBatch } from "./sweep.ts";
import type { Sweeper } from "./sweeper.ts";

/** Slots that batches are written to in turn: two whose steps are under way, and one that is written meanwhile. */
const SLOTS = 3;

/** What a feeder needs of a model. */
export interface FeederOf {
  readonly runtime: Runtime;
  readonly sweeper: Sweeper;
  /** Checks a batch. */
  check(batch: DataInputs): HostData;
  /** Gives a slot's data set as the model reads it. */
  feedOf(dataset: Dataset): Feed;
  /** Promise that resolves when the app's `onProgress` is no longer waited for. */
  readonly ended?: Promise<unknown> | undefined;
}

/** Batch in its slot, ready for its step. */
export interface FedBatch extends SweepBatch {
  readonly samples: number;
  readonly slot: BatchSlot;
}

/** Slot in the ring. */
interface Turn {
  readonly slot: BatchSlot;
  busy: Promise<unknown>;
}

/**
 * Feeds a model with a stream's batches: while the GPU works on one, the next is made, checked and written to another slot. Once warm, it
 * makes no buffer and no bind group, and writes only the batch.
 */
export class StreamFeeder {
  readonly #of: FeederOf;
  readonly #reader: BatchReader;
  readonly #kind: PlanKind;
  #limit = Number.POSITIVE_INFINITY;
  readonly #rowBytes: readonly number[];
  readonly #turns: Turn[] = [];
  /** Batches that were asked for, and those since the limit was set. */
  #loads = 0;
  #sinceLimit = 0;
  #ahead: Promise<{ readonly turn: Turn; readonly samples: number } | undefined> | undefined;
  #disposed = false;

  /** @param rowBytes Bytes of one sample of each output, for predictions. */
  constructor(of: FeederOf, reader: BatchReader, kind: PlanKind, rowBytes: readonly number[] = []) {
    this.#of = of;
    this.#reader = reader;
    this.#kind = kind;
    this.#rowBytes = rowBytes;
  }

  /** Sets the most batches that are read from now on. None is read ahead beyond it, so that a generator goes on where a call has ended. */
  limit(batches: number): void {
    this.#limit = batches;
    this.#sinceLimit = 0;
  }

  /** Tells whether a further pass has no batches. */
  get exhausted(): boolean {
    return this.#reader.exhausted;
  }

  /** Bytes of the slots. */
  get bytes(): number {
    return this.#turns.reduce((sum, { slot }) => sum + slot.bytes, 0);
  }

  /** Gives the next batch of the pass; `undefined` at its end. */
  async next(): Promise<FedBatch | undefined> {
    const loading = this.#ahead ?? this.#load();
    this.#ahead = undefined;
    const loaded = await loading;
    if (!loaded) return undefined;
    const { turn, samples } = loaded;
    const { slot } = turn;
    const { sweeper, feedOf, ended } = this.#of;
    const feed = feedOf(slot.dataset);
    const ready = await sweeper.plan(this.#kind, feed, { batchSize: slot.dataset.size, ended });
    const { order, predictions } = slot;
    const kind = this.#kind === "train" ? "training" : "inference";
    const run = slot.boundTo(ready.executable, () => sweeper.bind(kind, ready, feed, { order, predictions }));
    const busyUntil = (done: Promise<unknown>) => {
      turn.busy = done.catch(() => {}).then(() => slot.written);
      turn.busy.catch(() => {}); // Told when the slot is wanted again, or at the end.
    };
    if (this.#sinceLimit < this.#limit) {
      this.#ahead = this.#load();
      this.#ahead.catch(() => {}); // Told by the next call.
    }
    return { samples, slot, run, start: slot.start, busyUntil };
  }

  /** Resolves when every slot is free. Rejects if the GPU refused what was written to one. */
  async settled(): Promise<void> {
    await Promise.all(this.#turns.map(({ busy }) => busy));
  }

  /** Frees the slots, and closes what was opened. */
  dispose(): void {
    this.#disposed = true;
    this.#reader.close();
    for (const { slot } of this.#turns) slot.dispose();
  }

  async #load(): Promise<{ readonly turn: Turn; readonly samples: number } | undefined> {
    const at = this.#loads++ % SLOTS;
    this.#sinceLimit++;
    const batch = await this.#reader.next();
    if (!batch) return undefined;
    const data = this.#of.check(batch);
    const known = this.#turns[at];
    await known?.busy;
    if (this.#disposed) return undefined;
    if (known?.slot.takes(data)) {
      known.slot.write(data);
      return { turn: known, samples: data.size };
    }
    known?.slot.dispose();
    const slot = await BatchSlot.create(this.#of.runtime, data, this.#rowBytes);
    if (this.#disposed) {
      slot.dispose();
      return undefined;
    }
    const turn = { slot, busy: Promise.resolve() };
    this.#turns[at] = turn;
    return { turn, samples: data.size };
  }
}
