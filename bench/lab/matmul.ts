// What the adapter can do at best: plain products of matrices, by the library's own kernel under several tiles and by
// two kernels of the benchmark's own. A product that comes out wrong counts for nothing.

import { ceilDiv } from "../../src/base/shape.ts";
import { readBuffers } from "../../src/gpu/readback.ts";
import type { Runtime } from "../../src/gpu/runtime.ts";
import { addNode, addTensor, emptyGraph } from "../../src/graph/graph.ts";
import type { Tile } from "../../src/graph/tile.ts";
import { matmul } from "../../src/ops/product/matmul.ts";
import { prepare } from "../../src/plan/executable.ts";
import { lower } from "../../src/plan/lower.ts";
import { adapterClassOf, shippedTile } from "../../src/plan/shipped-tiles.ts";
import { type Specialized, specialize } from "../../src/wgsl/specialize.ts";
import type { Product } from "./figures.ts";
import quadCode from "./matmul_quad.wgsl?raw";
import workgroupCode from "./matmul_workgroup.wgsl?raw";
import type { Encode } from "./timer.ts";

/** A way to multiply matrices. */
export interface Family {
  readonly label: string;
  /** Readies a product; sizes may be padded with zeros to what the kernel takes. */
  build(runtime: Runtime, product: Product): Promise<Matmul>;
}

export interface Matmul {
  readonly encode: Encode;
  dispose(): void;
}

/** The families that suit the adapter. */
export function families({ device, adapter }: Runtime): Family[] {
  const subgroups = device.features.has("subgroups");
  const tiles = LIBRARY.filter(([, choice]) => subgroups || !choice({ m: 64, n: 64, k: 64 }).quad);
  const quads = subgroups ? [quad(8, 2), quad(16, 2), adapter.software ? quad(8, 4) : quad(4, 1)] : [];
  // Barriers are ruinous where the processor runs the shader: a tenth of the speed.
  const staged = adapter.software ? [] : [workgroup(1), workgroup(2)];
  return [...tiles.map(([label, tile]) => library(label, tile)), ...quads, ...staged];
}

type TileFor = (product: Product) => Tile;

/** The library's own product: as the package ships it for each class of adapter, and as rows x columns an invocation. */
const LIBRARY: readonly (readonly [string, TileFor])[] = [
  ...(["gpu", "software", "software-quads"] as const).map(
    (adapter) => [adapter, (product: Product) => shippedTile(adapter, product)] as const,
  ),
  ...[[4, 4] as const, [2, 4] as const, [2, 2] as const].map(([blocksM, blocksN]) => {
    const tile: TileFor = (product) => ({ ...shippedTile("gpu", product), blocksM, blocksN });
    return [`${4 * blocksM}x${4 * blocksN}`, tile] as const;
  }),
  ...[[4, 2] as const, [2, 4] as const].map(([blocksM, blocksN]) => {
    const tile: TileFor = (product) => ({ ...shippedTile("software-quads", product), blocksM, blocksN });
    return [`${4 * blocksM}x${4 * blocksN} in quads`, tile] as const;
  }),
];

function library(label: string, tileFor: TileFor): Family {
  return {
    label: `library ${label}`,
    async build(runtime, product) {
      const { m, n, k } = product;
      const tile: Tile = { ...tileFor(product), slices: 1 };
      const graph = emptyGraph();
      const operand = (name: string, shape: number[]) => addTensor(graph, name, "state", { shape, dtype: "f32" });
      const [a, b] = [operand("a", [m, k]), operand("b", [k, n])];
      const { c } = addNode(graph, "matmul", matmul, { a, b });
      graph.results.push(c);
      const options = { name: label, adapter: adapterClassOf(runtime), choices: { matmul: tile } };
      const plan = lower(graph, options);
      const executable = await prepare(runtime, plan);
      const operands = await operandsOf(runtime, product);
      const run = executable.bind(
        new Map([
          [a, operands.a],
          [b, operands.b],
        ]),
      );
      const encode: Encode = (pass) => run.encode(pass);
      const dispose = () => {
        operands.dispose();
        executable.dispose();
      };
      return checked(runtime, label, product, n, { encode, dispose }, run.bufferOf(c!));
    },
  };
}

function quad(tm: number, tn: number): Family {
  return own(`quads ${tm}x${tn * 4}`, quadCode, { TM: tm, TN: tn }, { m: 4 * tm, n: 16 * tn, k: 4 }, ({ m, n }) => [
    ceilDiv((m / (4 * tm)) * (n / (16 * tn)), 16),
    1,
  ]);
}

function workgroup(r4: number): Family {
  const tile = 64 * r4;
  const label = `workgroup memory ${tile}x${tile}`;
  return own(label, workgroupCode, { R4: r4 }, { m: tile, n: tile, k: 16 }, ({ m, n }) => [n / tile, m / tile]);
}

function own(
  label: string,
  code: string,
  constants: Record<string, number>,
  unit: Product,
  workgroups: (product: Product) => [number, number],
): Family {
  return {
    label,
    async build(runtime, product) {
      const up = (size: number, by: number) => ceilDiv(size, by) * by;
      const padded = { m: up(product.m, unit.m), n: up(product.n, unit.n), k: up(product.k, unit.k) };
      const shader = specialize([{ code }], { M: padded.m, N: padded.n, K: padded.k, ...constants });
      const pipeline = await runtime.pipelines.get(shader);
      const operands = await operandsOf(runtime, padded);
      const c = await runtime.buffers.createOne({ label: "c", bytes: padded.m * padded.n * 4 });
      const group = bindGroup(runtime, shader, [operands.a, operands.b, c.buffer]);
      const encode: Encode = (pass) => {
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, group);
        pass.dispatchWorkgroups(...workgroups(padded));
      };
      const dispose = () => {
        operands.dispose();
        c.release();
      };
      return checked(runtime, label, padded, padded.n, { encode, dispose }, c.buffer);
    },
  };
}

function bindGroup(runtime: Runtime, shader: Specialized, buffers: readonly GPUBuffer[]): GPUBindGroup {
  const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
  return runtime.device.createBindGroup({ layout: runtime.pipelines.layout(shader), entries });
}

/** Values in [-1, 1) that both sides can make: row-major, the same for every shape. */
function valueAt(index: number, stream: number): number {
  return ((Math.imul(index + 1, 0x9e3779b1 + stream * 2) >>> 8) % 2048) / 1024 - 1;
}

async function operandsOf(runtime: Runtime, { m, n, k }: Product) {
  const [a, b] = await runtime.buffers.create([
    { label: "a", bytes: m * k * 4 },
    { label: "b", bytes: k * n * 4 },
  ]);
  const { queue } = runtime.device;
  queue.writeBuffer(
    a!.buffer,
    0,
    Float32Array.from({ length: m * k }, (_, i) => valueAt(i, 0)),
  );
  queue.writeBuffer(
    b!.buffer,
    0,
    Float32Array.from({ length: k * n }, (_, i) => valueAt(i, 1)),
  );
  const dispose = () => {
    a!.release();
    b!.release();
  };
  return { a: a!.buffer, b: b!.buffer, dispose };
}

/** Runs the product once and compares some of its entries. */
async function checked(
  runtime: Runtime,
  label: string,
  { m, n, k }: Product,
  width: number,
  matmul: Matmul,
  c: GPUBuffer,
): Promise<Matmul> {
  const { device } = runtime;
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  matmul.encode(pass);
  pass.end();
  device.queue.submit([encoder.finish()]);
  const [bytes] = await readBuffers(runtime, [{ buffer: c, bytes: m * width * 4 }]);
  const got = new Float32Array(bytes!);
  for (let i = 0; i < 64; i++) {
    const row = Math.floor((i * m) / 64);
    const column = (i * 7919) % n;
    let wanted = 0;
    for (let t = 0; t < k; t++) wanted += valueAt(row * k + t, 0) * valueAt(t * n + column, 1);
    const value = got[row * width + column]!;
    if (Math.abs(value - wanted) <= 1e-3 * Math.sqrt(k)) continue;
    throw new Error(
      `The product ${m}x${n}x${k} by ${label} is wrong: c[${row}, ${column}] is ${value}, not ${wanted}.`,
    );
  }
  return matmul;
}
