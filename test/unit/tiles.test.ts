import { describe, expect, it } from "vitest";
import { type AdapterClass, type Tile, tileConstants, tileWorkgroups } from "../../src/graph/tile.ts";
import { shippedTile } from "../../src/plan/tiles.ts";

// Bounds that no tuning may leave: every device has 256 invocations a workgroup, and a slice must be worth its kernel.
const MOST_BLOCKS = 16;
const MOST_INVOCATIONS = 256;
const LEAST_TERMS = 64;
const SIZES = [1, 3, 4, 5, 8, 10, 17, 32, 64, 100, 801, 1000, 4097];

describe.each<AdapterClass>(["gpu", "software"])("the shipped tile on %s", (adapter) => {
  const products = SIZES.flatMap((m) =>
    SIZES.flatMap((n) => [1, 127, 700, 1000, 1024, 73728].map((k) => ({ m, n, k }))),
  );

  it("has whole sizes of at least 1, within bounds", () => {
    for (const product of products) {
      const tile = shippedTile(adapter, product);
      for (const size of Object.values(tile)) expect(Number.isInteger(size) && size >= 1).toBe(true);
      expect(tile.workgroupM * tile.workgroupN).toBeLessThanOrEqual(MOST_INVOCATIONS);
      expect(tile.blocksM * tile.blocksN).toBeLessThanOrEqual(MOST_BLOCKS);
    }
  });

  it("is no larger than the product", () => {
    for (const { m, n, k } of products) {
      const tile = shippedTile(adapter, { m, n, k });
      expect((tile.blocksM - 1) * 4).toBeLessThan(m);
      expect((tile.blocksN - 1) * 4).toBeLessThan(n);
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
    const { workgroupM, workgroupN } = shippedTile(adapter, { m: 4097, n: 1000, k: 64 });
    expect(workgroupM * workgroupN).toBeGreaterThanOrEqual(16);
  });

  it("cuts a long sum of few products, and not one of many", () => {
    expect(shippedTile(adapter, { m: 26, n: 32, k: 73728 }).slices).toBeGreaterThan(8);
    expect(shippedTile(adapter, { m: 4096, n: 4096, k: 73728 }).slices).toBe(1);
  });

  it("is the same each time", () => {
    expect(shippedTile(adapter, { m: 128, n: 10, k: 1000 })).toEqual(shippedTile(adapter, { m: 128, n: 10, k: 1000 }));
  });

  it("is covered by its workgroups, without a row or column of them to spare", () => {
    for (const { m, n, k } of products) {
      const tile = shippedTile(adapter, { m, n, k });
      const [x, y, z] = tileWorkgroups(tile, Math.ceil(m / 4), Math.ceil(n / 4), tile.slices);
      const across = tile.blocksN * tile.workgroupN * 4;
      const down = tile.blocksM * tile.workgroupM * 4;
      expect(x * across).toBeGreaterThanOrEqual(n);
      expect((x - 1) * across).toBeLessThan(n);
      expect(y * down).toBeGreaterThanOrEqual(m);
      expect((y - 1) * down).toBeLessThan(m);
      expect(z).toBe(tile.slices);
    }
  });
});

describe("tileWorkgroups", () => {
  const tile: Tile = { blocksM: 2, blocksN: 3, workgroupM: 4, workgroupN: 8, slices: 5 };

  it("counts columns in x, rows in y, slices in z", () => {
    expect(tileWorkgroups(tile, 16, 48, 5)).toEqual([2, 2, 5]);
    expect(tileWorkgroups(tile, 17, 49)).toEqual([3, 3, 1]);
  });

  it("has its sizes as constants of the shader", () => {
    expect(tileConstants(tile, 16)).toEqual({ BLOCKS_M: 2, BLOCKS_N: 3, WORKGROUP_M: 4, WORKGROUP_N: 8 });
  });
});
