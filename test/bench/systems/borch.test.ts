// What the benchmark's peer borch needs beside a browser: weights with the channels first, and its package out of a wheel.

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { weightSpecs } from "../../../bench/arithmetic.ts";
import { NETWORK_NAMES, NETWORKS, type NetworkSpec } from "../../../bench/networks.ts";
import {
  channelsFirst,
  channelsFirstImages,
  outputsFirst,
  rowsByChannel,
  transposed,
} from "../../../bench/systems/channels-first.ts";
import { hasBorch, packageOf } from "../../../bench/wheel.ts";

/** Values that tell where they come from. */
const counted = (length: number) => Float32Array.from({ length }, (_, i) => i);

describe("channels first", () => {
  it("puts a kernel's value of [y, x, input, output] at [output, input, y, x]", () => {
    const [height, width, inputs, outputs] = [2, 3, 4, 5] as const;
    const turned = outputsFirst(counted(120), [height, width, inputs, outputs]);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        for (let i = 0; i < inputs; i++) {
          for (let o = 0; o < outputs; o++) {
            const at = ((o * inputs + i) * height + y) * width + x;
            expect(turned[at]).toBe(((y * width + x) * inputs + i) * outputs + o);
          }
        }
      }
    }
  });

  it("puts a row of (y, x, channel) at (channel, y, x)", () => {
    const [height, width, channels, units] = [2, 3, 4, 5] as const;
    const turned = rowsByChannel(counted(120), [height, width, channels], units);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        for (let channel = 0; channel < channels; channel++) {
          for (let unit = 0; unit < units; unit++) {
            const at = ((channel * height + y) * width + x) * units + unit;
            expect(turned[at]).toBe(((y * width + x) * channels + channel) * units + unit);
          }
        }
      }
    }
  });

  it("transposes a matrix", () => {
    expect([...transposed(counted(6), [2, 3])]).toEqual([0, 3, 1, 4, 2, 5]);
  });

  it("gives each layer of a network its own weights, and turns rows only after flatten", () => {
    const network: NetworkSpec = {
      batch: 1,
      input: [4, 4, 2],
      layers: [
        { kind: "conv2d", filters: 3, kernelSize: 3, padding: "valid" },
        { kind: "flatten" },
        { kind: "dense", units: 2, activation: "relu" },
        { kind: "dense", units: 2, activation: "softmax" },
      ],
    };
    const weights = [54, 3, 24, 2, 4, 2].map(counted);
    const [conv, flatten, first, second] = channelsFirst({ network, weights });
    const bias = (values: Float32Array) => ({ role: "bias", values, shape: [values.length] });
    expect(conv).toEqual([
      { role: "kernel", values: outputsFirst(weights[0]!, [3, 3, 2, 3]), shape: [3, 2, 3, 3] },
      bias(weights[1]!),
    ]);
    expect(flatten).toEqual([]);
    expect(first).toEqual([
      { role: "kernel", values: rowsByChannel(weights[2]!, [2, 2, 3], 2), shape: [12, 2] },
      bias(weights[3]!),
    ]);
    expect(second).toEqual([{ role: "kernel", values: weights[4], shape: [2, 2] }, bias(weights[5]!)]);
  });

  it("puts a depthwise kernel's value of [y, x, channel, 0] at [channel, 0, y, x]", () => {
    const network: NetworkSpec = {
      batch: 1,
      input: [4, 4, 2],
      layers: [{ kind: "depthwiseConv2d", kernelSize: 3, strides: 1 }],
    };
    const [[kernel] = []] = channelsFirst({ network, weights: [counted(18)] });
    expect(kernel!.shape).toEqual([2, 1, 3, 3]);
    for (let at = 0; at < 9; at++) {
      for (let channel = 0; channel < 2; channel++) expect(kernel!.values[channel * 9 + at]).toBe(at * 2 + channel);
    }
  });

  it("puts an image's value of [y, x, channel] at [channel, y, x], image by image", () => {
    const turned = channelsFirstImages(
      Uint8Array.from({ length: 24 }, (_, i) => i),
      [2, 2, 3],
    );
    expect([...turned.subarray(0, 8)]).toEqual([0, 3, 6, 9, 1, 4, 7, 10]);
    expect([...turned.subarray(12, 16)]).toEqual([12, 15, 18, 21]);
  });

  it.each(NETWORK_NAMES)("takes all weights of the network %s", (name) => {
    const network = NETWORKS[name];
    const weights = weightSpecs(network).map(({ shape }) => counted(shape.reduce((a, b) => a * b, 1)));
    const layers = channelsFirst({ network, weights }).flat();
    expect(layers.map(({ values }) => values.length)).toEqual(weights.map(({ length }) => length));
  });
});

describe("the wheel of borch", () => {
  const folder = mkdtempSync(join(tmpdir(), "featuremap-borch-"));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("becomes a package of one file and its licence, which is known by its version", () => {
    const unpacked = join(folder, "wheel");
    for (const file of ["borch_webgpu/_borch.js", "borch_webgpu/_nn.py", "pyborch-1.14.1.dist-info/licenses/LICENSE"]) {
      mkdirSync(dirname(join(unpacked, file)), { recursive: true });
      writeFileSync(join(unpacked, file), file);
    }
    expect(hasBorch(join(folder, "borch"))).toBe(false);
    const made = packageOf(unpacked, join(folder, "borch"));
    expect(hasBorch(made)).toBe(true);
    expect(readFileSync(join(made, "_borch.js"), "utf8")).toBe("borch_webgpu/_borch.js");
    expect(existsSync(join(made, "LICENSE"))).toBe(true);
    const description = JSON.parse(readFileSync(join(made, "package.json"), "utf8"));
    expect(description).toMatchObject({ name: "borch", type: "module", main: "_borch.js" });
    writeFileSync(join(made, "package.json"), JSON.stringify({ ...description, version: "1.0.0" }));
    expect(hasBorch(made)).toBe(false);
  });
});
