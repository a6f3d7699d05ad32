import { PbfWriter } from "pbf";
import { elements, type Shape } from "../base/shape.ts";
import type { Weight } from "../model/model.ts";
import type { OnnxGraph, OnnxInitializer, OnnxNode, OnnxPort } from "./export-graph.ts";
import {
  type AttributeProto,
  AttributeProtoAttributeType as AttributeType,
  TensorProtoDataType as DataType,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
  writeModelProto,
} from "./proto/onnx.js";
import type { AxisOrder, OnnxAttribute } from "./rule.ts";

/** What the file needs of a reader: both came with ONNX 1.12, of 2022, and ONNX Runtime 1.13 and onnxruntime-web 1.13 read them. */
export const OPSET = 17;
const IR_VERSION = 8;

/** Name of the batch axis, whose size is known when the model runs. */
const BATCH = "N";

/** Bytes of an ONNX file. `weights` has the numbers of the graph's variables. */
export function modelBytes(
  { nodes, initializers, inputs, outputs }: OnnxGraph,
  name: string,
  weights: readonly Weight[],
): Uint8Array<ArrayBuffer> {
  const named = new Map(weights.map((weight) => [weight.name, weight]));
  const tensors = initializers.map((each) => tensorProto(each, named));
  const bytes = tensors.reduce((sum, { raw_data }) => sum + raw_data.length, 0);
  const pbf = new PbfWriter(new Uint8Array(bytes + 2 ** 16));
  writeModelProto(
    {
      ir_version: IR_VERSION,
      producer_name: "featuremap",
      opset_import: [{ version: OPSET }],
      graph: {
        name,
        node: nodes.map(nodeProto),
        initializer: tensors,
        input: inputs.map(valueInfo),
        output: outputs.map(valueInfo),
      },
    },
    pbf,
  );
  // Without the room that is left over.
  return new Uint8Array(pbf.finish());
}

function nodeProto({ type, name, inputs, output, attributes }: OnnxNode): NodeProto {
  const attribute = Object.entries(attributes).map(([key, value]) => attributeProto(key, value));
  return { op_type: type, name, input: inputs, output: [output], attribute };
}

function attributeProto(name: string, attribute: OnnxAttribute): AttributeProto {
  if ("int" in attribute) return { name, type: AttributeType.INT, i: attribute.int };
  if ("ints" in attribute) return { name, type: AttributeType.INTS, ints: attribute.ints };
  if ("float" in attribute) return { name, type: AttributeType.FLOAT, f: attribute.float };
  if ("floats" in attribute) return { name, type: AttributeType.FLOATS, floats: attribute.floats };
  return { name, type: AttributeType.STRING, s: new TextEncoder().encode(attribute.string) };
}

function valueInfo({ name, shape }: OnnxPort): ValueInfoProto {
  const dim = [{ dim_param: BATCH }, ...shape.map((size) => ({ dim_value: size }))];
  return { name, type: { tensor_type: { elem_type: DataType.FLOAT, shape: { dim } } } };
}

function tensorProto({ name, shape, values }: OnnxInitializer, weights: ReadonlyMap<string, Weight>): TensorProto {
  const tensor = { name, data_type: DataType.FLOAT, dims: shape };
  if ("ints" in values)
    return { ...tensor, data_type: DataType.INT64, raw_data: bytesUnder(BigInt64Array.from(values.ints, BigInt)) };
  if ("floats" in values) return { ...tensor, raw_data: bytesUnder(Float32Array.from(values.floats)) };
  const weight = weights.get(values.path)!;
  return { ...tensor, raw_data: bytesUnder(transposed(weight.data, weight.shape, values.order)) };
}

/** Typed arrays are little-endian, as the format is, wherever WebGPU runs. */
function bytesUnder({ buffer, byteOffset, byteLength }: Float32Array | BigInt64Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** The numbers of a tensor with its axes in another order, row-major as before. */
export function transposed(data: Float32Array, shape: Shape, order: AxisOrder): Float32Array {
  if (order.every((axis, i) => axis === i)) return data;
  const strides = order.map((axis) => elements(shape.slice(axis + 1)));
  const sizes = order.map((axis) => shape[axis]!);
  const at = new Array<number>(order.length).fill(0);
  const made = new Float32Array(data.length);
  let from = 0;
  for (let to = 0; to < made.length; to++) {
    made[to] = data[from]!;
    // On to the next place: the last axis first, and the one before it where that is through.
    for (let axis = order.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      if (++at[axis]! < sizes[axis]!) break;
      from -= strides[axis]! * sizes[axis]!;
      at[axis] = 0;
    }
  }
  return made;
}
