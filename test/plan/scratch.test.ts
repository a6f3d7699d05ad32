// Buffers beyond one plan: scratch that a model's plans share, staging that a reading passes through.

import { describe, expect, it } from "vitest";
import type { BufferRequest, OwnedBuffer } from "../../src/gpu/buffers.ts";
import { cutIntoRounds } from "../../src/gpu/readback.ts";
import type { Runtime } from "../../src/gpu/runtime.ts";
import type { AdapterClass, MemoryMode } from "../../src/graph/tile.ts";
import { sgd } from "../../src/optimizers/sgd.ts";
import { maxSlices, shareBuffers } from "../../src/plan/memory.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { ScratchPool } from "../../src/plan/scratch.ts";
import { evaluationProgram, predictionProgram, trainingProgram } from "../../src/program/programs.ts";
import { countOf } from "../../src/program/variables.ts";
import { networkOf } from "../support/building.ts";
import { articleLayers } from "../support/models.ts";
import { inputsOf, measuresOf } from "../support/programs.ts";

describe("shareBuffers, with buffers that are there", () => {
  const share = (known: number[], needs: number[]) =>
    shareBuffers(
      needs.map((bytes) => ({ bytes, first: 0, last: 0 })),
      known,
    );

  it("gives each need the smallest buffer that holds it, the largest first", () => {
    expect(share([8, 100, 50], [40, 8, 60])).toEqual({ sizes: [8, 100, 50], bufferOf: [2, 0, 1] });
  });

  it("adds buffers where none is large enough, or all are taken", () => {
    expect(share([], [4])).toEqual({ sizes: [4], bufferOf: [0] });
    expect(share([8], [16])).toEqual({ sizes: [8, 16], bufferOf: [1] });
    expect(share([8], [4, 6])).toEqual({ sizes: [8, 4], bufferOf: [1, 0] });
  });
});

/** A runtime with buffers that are only counted. */
function countingRuntime() {
  const live = new Set<OwnedBuffer>();
  let room = Number.POSITIVE_INFINITY;
  const create = async (requests: readonly BufferRequest[]) => {
    await Promise.resolve();
    if (requests.some(({ bytes }) => bytes > room)) throw new Error("no room");
    return requests.map(({ bytes }) => {
      const owned: OwnedBuffer = { buffer: { size: bytes } as GPUBuffer, bytes, release: () => live.delete(owned) };
      live.add(owned);
      return owned;
    });
  };
  return {
    runtime: { buffers: { create } } as unknown as Runtime,
    bytes: () => [...live].reduce((sum, owned) => sum + owned.bytes, 0),
    allow: (bytes: number) => {
      room = bytes;
    },
  };
}

const asked = (...bytes: number[]) => bytes.map((each) => ({ label: String(each), bytes: each }));

describe("a scratch pool", () => {
  it("shares buffers between plans, never within one, and frees each after its last user", async () => {
    const { runtime, bytes } = countingRuntime();
    const pool = new ScratchPool(runtime);
    const one = await pool.take(asked(100, 20, 20));
    const two = await pool.take(asked(20, 90, 200));
    expect(new Set(two.buffers).size).toBe(3);
    expect(two.buffers.map(({ size }) => size)).toEqual([20, 100, 200]);
    expect([pool.bytes, bytes()]).toEqual([340, 340]);
    one.release();
    one.release();
    expect([pool.bytes, bytes()]).toEqual([320, 320]);
    two.release();
    expect([pool.bytes, bytes()]).toEqual([0, 0]);
  });

  it("keeps a buffer for a plan that is being made while its last user goes", async () => {
    const { runtime, bytes } = countingRuntime();
    const pool = new ScratchPool(runtime);
    const one = await pool.take(asked(100));
    const making = pool.take(asked(100, 8));
    one.release();
    expect(bytes()).toBe(100);
    (await making).release();
    expect(bytes()).toBe(0);
  });

  it("holds nothing of a plan that found no room", async () => {
    const { runtime, bytes, allow } = countingRuntime();
    const pool = new ScratchPool(runtime);
    const one = await pool.take(asked(100));
    allow(50);
    await expect(pool.take(asked(100, 60))).rejects.toThrow("no room");
    one.release();
    expect(bytes()).toBe(0);
  });
});

describe("cutIntoRounds", () => {
  it("is one round where all fits", () => {
    expect(cutIntoRounds([8, 4], Number.POSITIVE_INFINITY)).toEqual([
      [
        { source: 0, from: 0, bytes: 8, to: 0 },
        { source: 1, from: 0, bytes: 4, to: 8 },
      ],
    ]);
  });

  it.each([4, 10, 12, 64, 1000])("covers every byte once, no round larger than %d bytes", (most) => {
    const sizes = [4, 40, 8, 128, 4];
    const rounds = cutIntoRounds(sizes, most);
    const seen = sizes.map((size) => new Uint8Array(size));
    for (const round of rounds) {
      let filled = 0;
      for (const { source, from, bytes, to } of round) {
        expect(to).toBe(filled);
        expect(bytes % 4).toBe(0);
        filled += bytes;
        for (let i = from; i < from + bytes; i++) seen[source]![i]!++;
      }
      expect(filled).toBeLessThanOrEqual(most);
      expect(filled).toBeGreaterThan(0);
    }
    expect(seen.every((counts) => counts.every((count) => count === 1))).toBe(true);
  });
});

describe("slices", () => {
  it("are as many as is fast, or as hold 512,000 bytes, and at least one", () => {
    expect(maxSlices("fast", { m: 800, n: 64 })).toBe(Number.POSITIVE_INFINITY);
    expect(maxSlices("compact", { m: 800, n: 64 })).toBe(2);
    expect(maxSlices("compact", { m: 5000, n: 500 })).toBe(1);
  });
});

const network = networkOf(articleLayers());
const measures = measuresOf(network);
const optimizer = sgd();

function articlePlans(adapter: AdapterClass, memory: MemoryMode): Plan[] {
  const inputs = inputsOf(network, { dtype: "u8", scale: 1 / 255 });
  const options = { network, capacity: 128, inputs, adapter, choices: {}, memory };
  const training = trainingProgram({ ...options, measures, optimizer });
  return [training, evaluationProgram({ ...options, measures }), predictionProgram(options)].map(({ plan }) => plan);
}

describe.each(["gpu", "software", "software-quads"] as const)("batch 128, plans for %s", (adapter) => {
  const parameters = countOf(network.parameters, "parameter") * 4;
  const shared = async (plans: readonly Plan[]) => {
    const { runtime, bytes } = countingRuntime();
    const pool = new ScratchPool(runtime);
    for (const { buffers } of plans) await pool.take(buffers.filter(({ bound }) => bound === undefined));
    return bytes();
  };

  it("hold at most 14 MB with the parameters where memory is compact, all three together", async () => {
    const plans = articlePlans(adapter, "compact");
    const bytes = await shared(plans);
    expect(bytes).toBe(Math.max(...plans.map(({ scratchBytes }) => scratchBytes)));
    expect(await shared(plans.toReversed())).toBe(bytes);
    expect(parameters + bytes).toBeLessThanOrEqual(14e6 - 2 ** 19);
  });

  it("hold at most 48 MB where it is fast, and no less than compact ones", async () => {
    const bytes = await shared(articlePlans(adapter, "fast"));
    expect(parameters + bytes).toBeLessThanOrEqual(48e6);
    expect(bytes).toBeGreaterThanOrEqual(await shared(articlePlans(adapter, "compact")));
  });
});
