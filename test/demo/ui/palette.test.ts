// How the page shows things: pictures side by side, and numbers that are read on what they stand on.

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { describe as described } from "../../../demo/engine/models.ts";
import { picturesOf } from "../../../demo/engine/pictures.ts";
import { columnsOf } from "../../../demo/ui/columns.ts";
import { colorOf, dimmed, luminance, parse, type Rgb, UNIT_RANGE } from "../../../demo/ui/palette.ts";
import { networkOf } from "../../support/networks.ts";

describe("pictures side by side", () => {
  it.each([6, 10, 12, 16, 20, 24, 32, 48, 64, 96, 128])("%i fill all rows, whatever has room", (tiles) => {
    for (let room = 8; room <= 30; room++) expect(tiles % columnsOf(tiles, room), `room for ${room}`).toBe(0);
  });

  it("of sixteen are eight a row on a phone, and one row where that has room", () => {
    expect([8, 9.1, 15.9, 16, 30].map((room) => columnsOf(16, room))).toEqual([8, 8, 8, 16, 16]);
  });

  it("stand in one row where they fit, and never wider than half of what has room", () => {
    expect([1, 3, 7].map((tiles) => columnsOf(tiles, 9))).toEqual([1, 3, 7]);
    for (let tiles = 1; tiles <= 128; tiles++) {
      for (let room = 4; room <= 16; room++) {
        const columns = columnsOf(tiles, room);
        expect(columns).toBeLessThanOrEqual(room);
        expect(columns).toBeGreaterThanOrEqual(Math.min(tiles, room / 2));
      }
    }
  });

  it("leave as few places empty as can be where no number divides them", () => {
    expect([columnsOf(13, 9), columnsOf(17, 8)]).toEqual([7, 6]);
  });
});

describe("pictures of a network", () => {
  it("leave out dropout, which shows what the layer before it does", () => {
    const network = networkOf([
      { kind: "conv2d", filters: 4, kernelSize: 5, strides: 1, padding: "valid", activation: "relu" },
      { kind: "dropout", rate: 0.25 },
      { kind: "maxPooling2d", poolSize: 2, strides: 2 },
      { kind: "flatten" },
    ]);
    const pictures = picturesOf(network, described(network).layers);
    expect(pictures.map(({ kind, layer }) => `${kind} of ${layer}`)).toEqual([
      "kernels of conv2d",
      "maps of conv2d",
      "maps of max_pooling2d",
    ]);
  });
});

describe("a color", () => {
  it("is read as it is written, and as minifiers shorten it", () => {
    expect([" #c2410c", "#fff", "#1a0"].map(parse)).toEqual([
      [0xc2, 0x41, 0x0c],
      [255, 255, 255],
      [0x11, 0xaa, 0],
    ]);
  });
});

describe("a number in a cell that is set back", () => {
  const [light, dark] = readFileSync(new URL("../../../demo/style/tokens.css", import.meta.url), "utf8").split(
    "@media",
  );

  /** Of WCAG 2. */
  function contrast(a: Rgb, b: Rgb): number {
    const [less, more] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number];
    return (more + 0.05) / (less + 0.05);
  }

  it.each([
    ["light", light!],
    ["dark", dark!],
  ])("is read in %s: 4.5 to 1 at least", (_, css) => {
    const color = (name: string) => parse(new RegExp(`--${name}: (#[0-9a-f]{6});`).exec(css)![1]!);
    const [none, least, sheet, soft] = ["cell-none", "cell-negative", "sheet", "soft"].map(color) as [
      Rgb,
      Rgb,
      Rgb,
      Rgb,
    ];
    for (const palette of ["input", "kernel", "map", "plain"]) {
      const ends = { none, most: color(`cell-${palette}`), least };
      for (let value = -1; value <= 1; value += 0.125) {
        const cell = dimmed(colorOf(value, UNIT_RANGE, ends), sheet);
        expect(contrast(soft, cell), `${palette} ${value}`).toBeGreaterThanOrEqual(4.5);
      }
    }
  });
});
