// Types of onnx.js, for what the exporter writes. A field that is not there is not written.

import type { PbfWriter } from "pbf";

export interface ModelProto {
  readonly ir_version: number;
  readonly producer_name: string;
  readonly graph: GraphProto;
  readonly opset_import: readonly { readonly domain?: string; readonly version: number }[];
}

export interface GraphProto {
  readonly name: string;
  readonly node: readonly NodeProto[];
  readonly initializer: readonly TensorProto[];
  readonly input: readonly ValueInfoProto[];
  readonly output: readonly ValueInfoProto[];
}

export interface NodeProto {
  readonly name: string;
  readonly op_type: string;
  readonly input: readonly string[];
  readonly output: readonly string[];
  readonly attribute: readonly AttributeProto[];
}

export interface AttributeProto {
  readonly name: string;
  readonly type: number;
  readonly f?: number;
  readonly i?: number;
  readonly s?: Uint8Array;
  readonly floats?: readonly number[];
  readonly ints?: readonly number[];
}

export interface TensorProto {
  readonly name: string;
  readonly data_type: number;
  readonly dims: readonly number[];
  /** Little-endian. */
  readonly raw_data: Uint8Array;
}

export interface ValueInfoProto {
  readonly name: string;
  readonly type: { readonly tensor_type: { readonly elem_type: number; readonly shape: TensorShapeProto } };
}

export interface TensorShapeProto {
  /** A size, or the name of one that is known when the model runs. */
  readonly dim: readonly ({ readonly dim_value: number } | { readonly dim_param: string })[];
}

export function writeModelProto(model: ModelProto, pbf: PbfWriter): void;

export const AttributeProtoAttributeType: Readonly<Record<"FLOAT" | "INT" | "STRING" | "FLOATS" | "INTS", number>>;
export const TensorProtoDataType: Readonly<Record<"FLOAT" | "INT64", number>>;
