// Models written as ONNX graphs and files, and files read by what pbf makes of the messages' description.

import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { PbfReader } from "pbf";
import { createRuntime, defineLayer, defineOp, type Layer, type Model, ops, typed } from "../../src/index.ts";
import { INTERNALS } from "../../src/model/internals.ts";
import { exportGraph } from "../../src/onnx/export-graph.ts";
import { type OnnxOptions, type OnnxRule, toOnnx } from "../../src/onnx/onnx.ts";
import { RULES } from "../../src/onnx/rules.ts";
import { randomArray } from "../reference/random.ts";
import { fakeDevice } from "./fake-device.ts";

const path = (relative: string) => fileURLToPath(new URL(`../../${relative}`, import.meta.url));

/** What pbf makes of src/onnx/proto/onnx.proto. */
export function generated(...options: readonly string[]): string {
  const args = [path("node_modules/pbf/bin/pbf"), "src/onnx/proto/onnx.proto", ...options];
  return execFileSync(process.execPath, args, { cwd: path(""), encoding: "utf8" });
}

interface Messages {
  readModelProto(pbf: PbfReader): ReadModel;
}

interface ReadModel {
  readonly ir_version: number;
  readonly producer_name: string;
  readonly opset_import: readonly { readonly domain: string; readonly version: number }[];
  readonly graph: {
    readonly name: string;
    readonly node: readonly {
      readonly name: string;
      readonly op_type: string;
      readonly input: readonly string[];
      readonly output: readonly string[];
      readonly attribute: readonly ReadAttribute[];
    }[];
    readonly initializer: readonly {
      readonly name: string;
      readonly data_type: number;
      readonly dims: readonly number[];
      readonly raw_data: Uint8Array;
    }[];
    readonly input: readonly ReadPort[];
    readonly output: readonly ReadPort[];
  };
}

interface ReadAttribute {
  readonly name: string;
  readonly type: number;
  readonly f: number;
  readonly i: number;
  readonly s?: Uint8Array;
  readonly floats: readonly number[];
  readonly ints: readonly number[];
}

interface ReadPort {
  readonly name: string;
  readonly type: {
    readonly tensor_type: {
      readonly elem_type: number;
      readonly shape: {
        readonly dim: readonly { readonly value: string; readonly dim_value: number; readonly dim_param: string }[];
      };
    };
  };
}

export interface OnnxFile {
  readonly irVersion: number;
  readonly producer: string;
  readonly opsets: readonly { readonly domain: string; readonly version: number }[];
  readonly name: string;
  /** `Conv(input/Transpose, conv2d/kernel, conv2d/bias) -> conv2d` */
  readonly nodes: readonly string[];
  /** By node, in the form that rules use. */
  readonly attributes: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly weights: Readonly<Record<string, { readonly dims: readonly number[]; readonly data: readonly number[] }>>;
  /** Shapes by name. */
  readonly inputs: Readonly<Record<string, readonly (number | string)[]>>;
  readonly outputs: Readonly<Record<string, readonly (number | string)[]>>;
}

/** Made once. */
let messages: Promise<Messages> | undefined;

export async function readOnnx(bytes: Uint8Array): Promise<OnnxFile> {
  messages ??= import(/* @vite-ignore */ `data:text/javascript,${encodeURIComponent(generated())}`);
  const { readModelProto } = await messages;
  const { ir_version, producer_name, opset_import, graph } = readModelProto(new PbfReader(bytes));
  return {
    irVersion: ir_version,
    producer: producer_name,
    opsets: opset_import,
    name: graph.name,
    nodes: graph.node.map(({ op_type, input, output }) => `${op_type}(${input.join(", ")}) -> ${output.join(", ")}`),
    attributes: Object.fromEntries(
      graph.node.map(({ name, attribute }) => [
        name,
        Object.fromEntries(attribute.map((each) => [each.name, attributeOf(each)])),
      ]),
    ),
    weights: Object.fromEntries(
      graph.initializer.map(({ name, data_type, dims, raw_data }) => [
        name,
        { dims, data: numbers(data_type, raw_data) },
      ]),
    ),
    inputs: portsOf(graph.input),
    outputs: portsOf(graph.output),
  };
}

function attributeOf({ type, f, i, s, floats, ints }: ReadAttribute): unknown {
  const kinds: Readonly<Record<number, unknown>> = {
    1: { float: f },
    2: { int: i },
    3: { string: new TextDecoder().decode(s) },
    6: { floats },
    7: { ints },
  };
  return kinds[type];
}

function numbers(type: number, bytes: Uint8Array): number[] {
  const { buffer } = bytes.slice();
  return type === 7 ? Array.from(new BigInt64Array(buffer), Number) : [...new Float32Array(buffer)];
}

function portsOf(ports: readonly ReadPort[]) {
  return Object.fromEntries(
    ports.map(({ name, type: { tensor_type } }) => {
      if (tensor_type.elem_type !== 1) throw new Error(`${name} is no float32`);
      const dims = tensor_type.shape.dim.map((dim) => (dim.value === "dim_param" ? dim.dim_param : dim.dim_value));
      return [name, dims];
    }),
  );
}

/** A device whose buffers keep what is written to them. */
export function keepingDevice(): GPUDevice {
  type Kept = GPUBuffer & { readonly bytes: Uint8Array };
  const device = fakeDevice();
  const encoder = device.createCommandEncoder();
  return Object.assign(device, {
    createBuffer: ({ size, usage }: GPUBufferDescriptor) => {
      const bytes = new Uint8Array(size);
      const nothing = () => Promise.resolve(undefined);
      return { size, usage, bytes, destroy() {}, mapAsync: nothing, getMappedRange: () => bytes.buffer, unmap() {} };
    },
    createCommandEncoder: () => ({
      ...encoder,
      copyBufferToBuffer: (from: Kept, start: number, to: Kept, at: number, size: number) =>
        to.bytes.set(from.bytes.subarray(start, start + size), at),
    }),
    queue: {
      ...device.queue,
      writeBuffer: (to: Kept, at: number, { buffer, byteOffset, byteLength }: Float32Array<ArrayBuffer>) =>
        to.bytes.set(new Uint8Array(buffer, byteOffset, byteLength), at),
    },
  });
}

/** The file of a model that has the given weights, or noise. */
export async function fileOf<P>(
  made: Model<P>,
  options?: OnnxOptions,
): Promise<OnnxFile & { readonly bytes: Uint8Array }> {
  await made.compile({ runtime: await createRuntime({ device: keepingDevice() }) });
  const weights = (await made.getWeights()).map(({ shape, data }, i) => ({
    shape,
    data: randomArray(data.length, i + 1),
  }));
  await made.setWeights(weights);
  const bytes = await toOnnx(made, options);
  return { ...(await readOnnx(bytes)), bytes };
}

/** The graph of a model's network, by the library's rules. */
export function graphOf<P>(made: Model<P>, rules: Readonly<Record<string, OnnxRule>> = {}) {
  const { network } = made[INTERNALS].architecture;
  return exportGraph(network!, { layout: "nhwc", rules: new Map(Object.entries({ ...RULES, ...rules })) });
}

/** Nodes as `Conv(x, k) -> y`. */
export function nodesOf<P>(made: Model<P>, rules?: Readonly<Record<string, OnnxRule>>): string[] {
  return graphOf(made, rules).nodes.map(({ type, inputs, output }) => `${type}(${inputs.join(", ")}) -> ${output}`);
}

export const sum = (name?: string): Layer =>
  defineLayer({ type: "Sum", name, call: ({ inputs, add }) => add(ops.add, { a: inputs[0]!, b: inputs[1]! }).c });

/** An op that the library has no rule for. */
export const unknown = defineOp({
  name: "own/scale",
  inputs: ["x", "state?"],
  outputs: ["y", "spare?"],
  attributes: typed<{ readonly by: number }>(),
  infer: ({ x }) => ({ y: x, spare: x }),
});
