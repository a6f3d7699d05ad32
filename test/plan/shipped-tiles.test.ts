import { describe, expect, it } from "vitest";
import {
  type AdapterClass,
  sharedBytes,
  type Tile,
  type TileRequest,
  tileConstants,
  tileWorkgroups,
} from "../../src/graph/tile.ts";
import { adapterClassOf, minSaving, shippedTile } from "../../src/plan/shipped-tiles.ts";

// Bounds that no tuning may leave: every device has 256 invocations a workgroup, and a slice must be worth its kernel.
const MOST_BLOCKS = 16;
const MOST_INVOCATIONS = 256;
/** Of workgroup memory, which every device has. */
const MOST_BYTES = 16384;
const LEAST_TERMS = 64;
const quad = { workgroupM: 4, workgroupN: 1, quad: true };
const SIZES = [1, 3, 4, 5, 8, 10, 17, 32, 64, 100, 801, 1000, 4097];

describe.each<AdapterClass>(["gpu", "software", "software-quads"])("the shipped tile on %s", (adapter) => {
  const products = SIZES.flatMap((m) =>
    SIZES.flatMap((n) => [1, 127, 700, 1000, 1024, 73728].map((k) => ({ m, n, k }))),
  );

  it("has whole sizes of at least 1, within bounds", () => {
    for (const product of products) {
      const tile = shippedTile(adapter, product);
      const { quad, hoisted, shared, ...sizes } = tile;
      for (const size of Object.values(sizes)) expect(Number.isInteger(size) && size >= 1).toBe(true);
      expect([hoisted, shared]).toEqual([undefined, adapter === "gpu" ? true : undefined]);
      expect(quad).toBe(adapter === "software-quads" ? true : undefined);
      const { workgroupK = 1 } = tile;
      if (adapter !== "gpu") expect(workgroupK).toBe(1);
      expect(tile.workgroupM * tile.workgroupN * workgroupK).toBeLessThanOrEqual(MOST_INVOCATIONS);
      if (shared) expect(sharedBytes(tile)).toBeLessThanOrEqual(MOST_BYTES);
      expect(tile.blocksM * tile.blocksN).toBeLessThanOrEqual(MOST_BLOCKS);
    }
  });

  it("is no larger than the product", () => {
    for (const { m, n, k } of products) {
      const tile = shippedTile(adapter, { m, n, k });
      const lanes = tile.quad ? 4 : 1;
      expect((tile.blocksM - 1) * 4 * lanes).toBeLessThan(m);
      expect((tile.blocksN - 1) * 4 * lanes).toBeLessThan(n);
      if (tile.quad) continue;
      // Invocations side by side reach over the last column, or row, by less than as many again.
      expect(Math.floor(tile.workgroupN / 2) * tile.blocksN * 4).toBeLessThan(n);
      expect(Math.floor(tile.workgroupM / 2) * tile.blocksM * 4).toBeLessThan(m);
    }
  });

  it("cuts a sum only where each slice keeps enough terms", () => {
    for (const product of products) {
      const { slices } = shippedTile(adapter, product);
      if (slices > 1) expect(product.k / slices).toBeGreaterThanOrEqual(LEAST_TERMS);
    }
  });

  it("fills a workgroup where the product is large enough", () => {
    const { workgroupM, workgroupN, quad } = shippedTile(adapter, { m: 4097, n: 1000, k: 64 });
    expect(workgroupM * workgroupN).toBeGreaterThanOrEqual(quad ? 4 : 16);
  });

  it("makes a workgroup of a quad's four lanes, one below the other, whatever the product", () => {
    for (const product of products) {
      const { quad, workgroupM, workgroupN } = shippedTile(adapter, product);
      if (quad) expect([workgroupM, workgroupN]).toEqual([4, 1]);
    }
  });

  it("keeps b in registers only where the kernel can, of short sums and many rows", () => {
    const hoisted = (product: { m: number; n: number; k: number }) =>
      shippedTile(adapter, { ...product, hoistable: true }).hoisted === true;
    const quads = adapter === "software-quads";
    expect(hoisted({ m: 73728, n: 32, k: 25 })).toBe(quads);
    expect(hoisted({ m: 512, n: 64, k: 64 })).toBe(quads);
    for (const product of [
      { m: 73728, n: 32, k: 65 },
      { m: 480, n: 64, k: 32 },
    ]) {
      expect(hoisted(product)).toBe(false);
    }
  });

  it("cuts a long sum of few products, and not one of many", () => {
    expect(shippedTile(adapter, { m: 26, n: 32, k: 73728, sliced: true }).slices).toBeGreaterThan(8);
    expect(shippedTile(adapter, { m: 4096, n: 4096, k: 73728, sliced: true }).slices).toBe(1);
  });

  it("is the same each time", () => {
    expect(shippedTile(adapter, { m: 128, n: 10, k: 1000 })).toEqual(shippedTile(adapter, { m: 128, n: 10, k: 1000 }));
  });

  it("is covered by its workgroups, without a row or column of them to spare", () => {
    for (const { m, n, k } of products) {
      const tile = shippedTile(adapter, { m, n, k });
      const [x, y, z] = tileWorkgroups(tile, Math.ceil(m / 4), Math.ceil(n / 4), tile.slices);
      // Each lane of a quad has its own columns, though all four stand in one column of the workgroup.
      const across = tile.blocksN * (tile.quad ? 4 : tile.workgroupN) * 4;
      const down = tile.blocksM * tile.workgroupM * 4;
      expect(x * across).toBeGreaterThanOrEqual(n);
      expect((x - 1) * across).toBeLessThan(n);
      expect(y * down).toBeGreaterThanOrEqual(m);
      expect((y - 1) * down).toBeLessThan(m);
      expect(z).toBe(tile.slices);
    }
  });
});

describe("parts of a sum on a GPU", () => {
  const shipped = (request: TileRequest) => shippedTile("gpu", request);
  const parts = (request: TileRequest) => shipped(request).workgroupK ?? 1;
  const requests = SIZES.flatMap((m) =>
    SIZES.flatMap((n) =>
      [1, 31, 63, 64, 100, 128, 500, 1024, 73728].flatMap((k): TileRequest[] => [
        { m, n, k },
        { m, n, k, batch: 64 },
        { m, n, k, repeats: 144 },
        { m, n, k, sliced: true },
      ]),
    ),
  );

  it("are a power of two up to 8, of at least 8 blocks of terms each, in workgroups that every device has", () => {
    const seen = new Set<number>();
    for (const request of requests) {
      const tile = shipped(request);
      const { workgroupK = 1, workgroupM, workgroupN, slices } = tile;
      seen.add(workgroupK);
      expect([1, 2, 4, 8]).toContain(workgroupK);
      expect(workgroupM * workgroupN * workgroupK).toBeLessThanOrEqual(MOST_INVOCATIONS);
      expect(sharedBytes(tile)).toBeLessThanOrEqual(MOST_BYTES);
      if (workgroupK > 1) expect(Math.ceil(request.k / 4) / slices / workgroupK).toBeGreaterThanOrEqual(8);
      for (const size of [workgroupM, workgroupN]) expect(Number.isInteger(Math.log2(size))).toBe(true);
    }
    expect([...seen].sort()).toEqual([1, 2, 4, 8]);
  });

  it("are no more than the machine has invocations for that would be idle", () => {
    for (const request of requests) {
      const { blocksM, blocksN, workgroupK = 1, slices } = shipped(request);
      const { m, n, batch = 1, repeats = 1 } = request;
      const blocks = Math.ceil(m / (4 * blocksM)) * Math.ceil(n / (4 * blocksN)) * batch * repeats * slices;
      if (workgroupK > 1) expect(blocks * workgroupK).toBeLessThanOrEqual(65536);
    }
  });

  it("are wanted where products are few, and counted with those of a batch, of each pixel and of each slice", () => {
    expect(parts({ m: 128, n: 1000, k: 1024 })).toBe(8);
    expect(parts({ m: 128, n: 1000, k: 128 })).toBe(4);
    expect(parts({ m: 128, n: 1000, k: 60 })).toBe(1);
    expect(parts({ m: 1024, n: 1000, k: 1024 })).toBe(1);
    expect(parts({ m: 128, n: 32, k: 1600 })).toBe(8);
    expect(parts({ m: 128, n: 32, k: 1600, batch: 64 })).toBe(4);
    expect(parts({ m: 128, n: 32, k: 1600, repeats: 64 })).toBe(4);
    expect(parts({ m: 128, n: 32, k: 1600, repeats: 144 })).toBe(1);
    expect(parts({ m: 26, n: 32, k: 73728, sliced: true })).toBe(1);
  });

  it("are a dimension of the workgroup and constants of the shader, with room for what they hand to each other", () => {
    const tile = shipped({ m: 128, n: 1000, k: 1024 });
    expect(tileConstants(tile, 32)).toEqual({
      BLOCKS_M: 1,
      BLOCKS_N: 1,
      WORKGROUP_M: tile.workgroupM,
      WORKGROUP_N: tile.workgroupN,
      WORKGROUP_K: 8,
      DEPTH: 16,
    });
    // Of each of 16 blocks of 4 terms: the rows' and the columns' blocks, of 4 vectors each, and two free vectors twice.
    expect(sharedBytes(tile)).toBe(16 * 16 * (4 * (tile.workgroupM + tile.workgroupN) + 4));
    expect(tileConstants({ ...tile, workgroupK: 1, depth: 5 }, 32)).toMatchObject({ DEPTH: 5 });
    expect(tileConstants({ ...tile, workgroupK: 1 }, 32)).not.toHaveProperty("WORKGROUP_K");
    expect(tileWorkgroups(tile, 32, 250)).toEqual([
      Math.ceil(250 / tile.workgroupN),
      Math.ceil(32 / tile.workgroupM),
      1,
    ]);
  });
});

describe("tileWorkgroups", () => {
  const tile: Tile = { blocksM: 2, blocksN: 3, workgroupM: 4, workgroupN: 8, slices: 5 };

  it("counts columns in x, rows in y, slices in z", () => {
    expect(tileWorkgroups(tile, 16, 48, 5)).toEqual([2, 2, 5]);
    expect(tileWorkgroups(tile, 17, 49)).toEqual([3, 3, 1]);
  });

  it("has its sizes as constants of the shader", () => {
    const sizes = { BLOCKS_M: 2, BLOCKS_N: 3, WORKGROUP_M: 4, WORKGROUP_N: 8 };
    expect(tileConstants(tile, 16)).toEqual({ ...sizes, TURNS: 1 });
  });

  it("counts four lanes' columns for a quad, and turns its rows four times", () => {
    const tile: Tile = { ...quad, blocksM: 2, blocksN: 3, slices: 1 };
    expect(tileWorkgroups(tile, 16, 48)).toEqual([4, 2, 1]);
    expect(tileWorkgroups(tile, 17, 49)).toEqual([5, 3, 1]);
    expect(tileConstants(tile, 16)).toEqual({ BLOCKS_M: 2, BLOCKS_N: 3, WORKGROUP_M: 4, WORKGROUP_N: 1, TURNS: 4 });
  });
});

describe("quads of small products", () => {
  const shipped = (request: TileRequest) => {
    const { slices: _, ...tile } = shippedTile("software-quads", request);
    return tile;
  };

  it("are whole where their rows and columns fill them", () => {
    expect(shipped({ m: 32, n: 64, k: 4096, batch: 64 })).toEqual({ ...quad, blocksM: 2, blocksN: 4 });
    expect(shipped({ m: 26, n: 32, k: 73728, sliced: true })).toEqual({ ...quad, blocksM: 2, blocksN: 2 });
  });

  it("are two pairs or four lanes apart where a quad would be part empty and there are products or slices enough", () => {
    const pairs = { workgroupM: 2, workgroupN: 1, workgroupZ: 2, quad: true, turns: 2 };
    expect(shipped({ m: 24, n: 40, k: 1600, batch: 36 })).toEqual({ ...pairs, blocksM: 3, blocksN: 5 });
    const singles = { workgroupM: 1, workgroupN: 1, workgroupZ: 4 };
    expect(shipped({ m: 10, n: 24, k: 78400, sliced: true })).toEqual({ ...singles, blocksM: 3, blocksN: 6 });
    expect(shipped({ m: 24, n: 40, k: 160000 })).toEqual({ ...quad, blocksM: 2, blocksN: 3 });
  });

  it("turn in pairs where b stays in registers and that fits more columns", () => {
    const hoisted = (n: number, k: number) => shipped({ m: 8192, n, k, hoistable: true });
    expect(hoisted(24, 9)).toMatchObject({ blocksN: 3, turns: 2 });
    expect(hoisted(32, 9)).toMatchObject({ blocksN: 2 });
    expect(hoisted(32, 9)).not.toHaveProperty("turns");
  });

  it("pass by as many rows each where b stays in registers", () => {
    const { blocksM } = shipped({ m: 1600, n: 40, k: 24, batch: 36, hoistable: true });
    expect([blocksM, Math.ceil(100 / blocksM)]).toEqual([50, 2]);
  });

  it("lie side by side in z, of which the last may be empty", () => {
    const tile: Tile = { blocksM: 3, blocksN: 5, workgroupM: 2, workgroupN: 1, workgroupZ: 2, slices: 1, quad: true };
    const pairs: Tile = { ...tile, turns: 2 };
    expect(tileWorkgroups(pairs, 7, 11, 7)).toEqual([2, 2, 4]);
    expect(tileConstants(pairs, 7, 7)).toMatchObject({ WORKGROUP_M: 2, WORKGROUP_Z: 2, ALL_SLICES: 7, TURNS: 2 });
  });
});

describe("adapterClassOf", () => {
  const of = (software: boolean, ...features: string[]) =>
    adapterClassOf({ adapter: { software }, device: { features: new Set(features) } } as never);

  it("tells processors with subgroups, processors without, and GPUs", () => {
    expect(of(true, "subgroups")).toBe("software-quads");
    expect(of(true, "shader-f16")).toBe("software");
    expect(of(false)).toBe("gpu");
    expect(of(false, "subgroups")).toBe("gpu");
  });
});

describe("minSaving", () => {
  it("lets in what saves, and nothing where memory is to be saved", () => {
    expect(minSaving("fast")).toBe(1.5);
    expect(minSaving("compact")).toBe(Infinity);
  });
});
