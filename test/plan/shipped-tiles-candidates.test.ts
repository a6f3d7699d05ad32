import { describe, expect, it } from "vitest";
import { type AdapterClass, rowsTogether, sharedBytes, type Tile, type TileRequest } from "../../src/graph/tile.ts";
import { assertWithinLimits, type PlanLimits } from "../../src/plan/limits.ts";
import { candidateTiles, shippedTile } from "../../src/plan/shipped-tiles.ts";
import { workgroupBytes } from "../../src/wgsl/merge-kernels.ts";
import { Build, failure } from "../support/building.ts";

// What every device has, and what is worth its kernel and its time to compile, as for the shipped tiles.
const SHIPPABLE: PlanLimits = {
  maxBufferSize: 2 ** 28,
  maxStorageBufferBindingSize: 2 ** 27,
  maxStorageBuffersPerShaderStage: 8,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupStorageSize: 16384,
  maxComputeWorkgroupsPerDimension: 65535,
};
/** Of c in the registers of one invocation, which has those of all lanes that pass their rows to it. */
const MOST_BLOCKS = 56;
const MOST_HOISTED = 32;
const LEAST_TERMS = 64;
const SIZES = [1, 3, 4, 5, 8, 10, 17, 32, 64, 100, 801, 1000, 4097];

describe.each<AdapterClass>(["gpu", "software", "software-quads"])("the candidate tiles on %s", (adapter) => {
  const requests = SIZES.flatMap((m) =>
    SIZES.flatMap((n) =>
      [1, 25, 64, 127, 1024, 73728].flatMap((k): TileRequest[] => [
        { m, n, k },
        { m, n, k, sliced: true },
        { m, n, k, batch: 64, hoistable: true },
      ]),
    ),
  );

  it("begin with the shipped one, are at most 8, and no two are the same", () => {
    for (const request of requests) {
      const tiles = candidateTiles(adapter, request);
      expect(tiles[0]).toEqual(shippedTile(adapter, request));
      expect(tiles.length).toBeLessThanOrEqual(8);
      for (const [i, tile] of tiles.entries()) expect(tiles.slice(i + 1)).not.toContainEqual(tile);
    }
  });

  it("are whole, within bounds, and of one family each that the kernel has", () => {
    for (const request of requests) {
      for (const tile of candidateTiles(adapter, request)) {
        const { blocksM, blocksN, workgroupM, workgroupN, slices, quad, hoisted, shared } = tile;
        const { workgroupZ = 1, turns = 4, workgroupK = 1 } = tile;
        for (const size of [blocksM, blocksN, workgroupM, workgroupN, workgroupZ, workgroupK, slices]) {
          expect(Number.isInteger(size) && size >= 1).toBe(true);
        }
        const invocations = workgroupM * workgroupN * workgroupZ * workgroupK;
        expect(invocations).toBeLessThanOrEqual(SHIPPABLE.maxComputeInvocationsPerWorkgroup);
        if (workgroupZ > 1) expect(slices * (request.batch ?? 1)).toBeGreaterThan(1);
        if (hoisted) expect(blocksN * Math.ceil(request.k / 4)).toBeLessThanOrEqual(MOST_HOISTED);
        else expect(blocksN * blocksM * (quad ? turns : 1)).toBeLessThanOrEqual(MOST_BLOCKS);
        if (slices > 1) {
          expect(request.sliced).toBe(true);
          expect(request.k / slices).toBeGreaterThanOrEqual(LEAST_TERMS);
        }
        if (hoisted) expect(request.hoistable).toBe(true);
        if (quad) expect([adapter, workgroupM * workgroupN * workgroupZ]).toEqual(["software-quads", 4]);
        expect(shared).toBe(adapter === "gpu" ? true : undefined);
        if (!shared) expect(workgroupK).toBe(1);
        else {
          expect([quad, hoisted]).toEqual([undefined, undefined]);
          expect(sharedBytes(tile)).toBeLessThanOrEqual(SHIPPABLE.maxComputeWorkgroupStorageSize);
          if (workgroupK > 1) expect(request.k / 4 / slices / workgroupK).toBeGreaterThan(7);
        }
      }
    }
  });

  it("are no larger than the product", () => {
    for (const request of requests) {
      for (const { blocksM, blocksN, quad, turns = 4, workgroupM } of candidateTiles(adapter, request)) {
        expect((blocksM - 1) * (quad ? 4 * workgroupM : 4)).toBeLessThan(request.m);
        expect((blocksN - 1) * (quad ? 4 * turns : 4)).toBeLessThan(request.n);
      }
    }
  });

  it("give something to choose where the product is large", () => {
    const sliced = candidateTiles(adapter, { m: 801, n: 64, k: 73728, sliced: true });
    expect(new Set(sliced.map(({ slices }) => slices)).size).toBeGreaterThan(2);
    const families = candidateTiles(adapter, { m: 4097, n: 100, k: 25, hoistable: true }).map((tile) => {
      return tile.shared ? "shared" : tile.hoisted ? "hoisted" : "registers";
    });
    const want = { gpu: ["shared"], software: ["registers"], "software-quads": ["hoisted", "registers"] };
    expect([...new Set(families)].sort()).toEqual(want[adapter]);
    const large = candidateTiles(adapter, { m: 4097, n: 1000, k: 1024 });
    expect(new Set(large.map(({ blocksM, blocksN }) => `${blocksM} ${blocksN}`)).size).toBeGreaterThan(2);
    if (adapter === "gpu") {
      expect(new Set(large.map(({ workgroupM, workgroupN }) => workgroupM * workgroupN)).size).toBeGreaterThan(1);
    }
  });
});

describe("workgroup memory of the candidates", () => {
  it("is within what every device has, in every kernel", () => {
    for (const [m, n, k] of [
      [1, 1000, 64],
      [1000, 1, 64],
      [128, 128, 1024],
    ] as const) {
      for (const tile of candidateTiles("gpu", { m, n, k })) {
        const build = new Build();
        build.want(build.add("matmul", { a: build.input("a", [m, k]), b: build.input("b", [k, n]) }).c!);
        const { steps } = build.lower({ choices: { matmul: tile } });
        const bytes = workgroupBytes(steps[0]!.shader.code);
        expect(bytes).toBe(sharedBytes(tile));
        expect(bytes).toBeLessThanOrEqual(SHIPPABLE.maxComputeWorkgroupStorageSize);
      }
    }
  });

  it("is counted where a tile asks for too much, before any GPU work", () => {
    const tile: Tile = { blocksM: 2, blocksN: 2, workgroupM: 16, workgroupN: 16, slices: 1, shared: true };
    const build = new Build();
    build.want(build.add("matmul", { a: build.input("a", [64, 64]), b: build.input("b", [64, 64]) }).c!);
    const plan = build.lower({ choices: { matmul: tile } });
    const { code, message } = failure(() => assertWithinLimits(plan, SHIPPABLE));
    expect(code).toBe("limit");
    // 32 blocks of a and of b for each of 4 k4, 4 vec4f each, and 2 free ones.
    const bytes = 2 * 4 * (4 * 32 + 2) * 16;
    for (const text of ["matmul", String(bytes), "16384", "maxComputeWorkgroupStorageSize"])
      expect(message).toContain(text);
    expect(() => assertWithinLimits(plan, { ...SHIPPABLE, maxComputeWorkgroupStorageSize: bytes })).not.toThrow();
  });

  it("and quads, or all of b in registers, are not asked for at once", () => {
    for (const other of ["quad", "hoisted"] as const) {
      const tile: Tile = {
        blocksM: 1,
        blocksN: 1,
        workgroupM: 4,
        workgroupN: 1,
        slices: 1,
        shared: true,
        [other]: true,
      };
      const build = new Build();
      build.want(build.add("matmul", { a: build.input("a", [4, 4]), b: build.input("b", [4, 4]) }).c!);
      const { code, message } = failure(() => build.lower({ choices: { matmul: tile } }));
      expect(code).toBe("value");
      for (const text of ['"shared"', `"${other}"`, '"workgroupM":4']) expect(message).toContain(text);
    }
  });
});

describe("rowsTogether", () => {
  it("counts the rows of an invocation, of a quad or of a workgroup", () => {
    const tile: Tile = { blocksM: 2, blocksN: 3, workgroupM: 8, workgroupN: 4, slices: 1 };
    expect(rowsTogether(tile)).toBe(2);
    expect(rowsTogether({ ...tile, workgroupM: 4, workgroupN: 1, quad: true })).toBe(8);
    expect(rowsTogether({ ...tile, shared: true })).toBe(16);
  });

  it("is what the input gradient of a convolution gives a pixel a whole number of", () => {
    const tile: Tile = { blocksM: 1, blocksN: 1, workgroupM: 4, workgroupN: 4, slices: 1, shared: true };
    const build = new Build();
    const ids = { dy: build.input("dy", [17, 3, 3, 4]), kernel: build.input("k", [2, 2, 4, 4]) };
    const attributes = { strides: [1, 1], padding: "valid", inputShape: [17, 4, 4, 4] };
    build.want(build.add("conv2dInputGradient", ids, attributes).dx!);
    // 17 images are 5 blocks of 4, in 2 workgroups of 4, at each of 16 pixels.
    expect(build.lower({ choices: { conv2dInputGradient: tile } }).steps[0]!.workgroups).toEqual([1, 32, 1]);
  });
});
