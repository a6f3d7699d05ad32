import type { Shape } from "../base/shape.ts";
import type { Named, Op } from "../graph/op.ts";
import type { Tensor } from "../graph/tensor.ts";

/** Order of a tensor's axes in ONNX: its axis i is axis `order[i]` of the model's tensor. Of images, `[0, 3, 1, 2]` is NCHW. */
export type AxisOrder = readonly number[];

/** A tensor of the ONNX graph by its name, and the order of its axes. */
export interface OrderedTensor {
  readonly name: string;
  readonly order: AxisOrder;
}

/** An attribute of an ONNX node. Its type is spelt out, since ONNX tells 1 from 1.0. */
export type OnnxAttribute =
  | { readonly int: number }
  | { readonly ints: readonly number[] }
  | { readonly float: number }
  | { readonly floats: readonly number[] }
  | { readonly string: string };

/** Numbers in the file: 64-bit whole numbers or 32-bit floats. Default shape: one axis; `[]` is a single number. */
export type OnnxConstant = ({ readonly ints: readonly number[] } | { readonly floats: readonly number[] }) & {
  readonly shape?: Shape;
};

/** A node of the model's graph, and what a rule writes it with. */
export interface OnnxCall<I extends string, A extends object> {
  /** Name of the node: its layer's, or what begins with it. */
  readonly name: string;
  readonly attributes: A;
  /** The node's inputs, with their shapes. The batch axis counts 1 here and may be any number in ONNX. */
  readonly inputs: Named<I, Tensor>;
  /**
   * Gives the name of an input whose axes have this order. Default: the model's, NHWC for images. A parameter is transposed in the
   * file, another tensor by a node, once.
   */
  read(input: Tensor, order?: AxisOrder): string;
  /** Gives an input in an order that costs nothing: for ops that treat each number alone. */
  readAsItLies(input: Tensor): OrderedTensor;
  /** Adds an ONNX node of one output, and returns its name. Optional inputs that are not there are `undefined`. */
  add(
    type: string,
    inputs: readonly (string | undefined)[],
    attributes?: Readonly<Record<string, OnnxAttribute>>,
  ): string;
  /** Adds numbers to the file, and returns their name. */
  constant(values: OnnxConstant): string;
}

/**
 * How the nodes of one op are written in ONNX. Returns the outputs by the op's names: a name where the axes are in the model's order,
 * else name and order. Outputs that ONNX does not have are left out.
 *
 * @typeParam T The op: `OnnxRule<typeof scale>` knows its inputs and attributes.
 * @example
 * const rule: OnnxRule<typeof scale> = ({ inputs: { x }, attributes: { by }, readAsItLies, add, constant }) => {
 *   const { name, order } = readAsItLies(x);
 *   return { y: { name: add("Mul", [name, constant({ floats: [by], shape: [] })]), order } };
 * };
 */
// biome-ignore lint/suspicious/noExplicitAny: a table holds rules of any op
export type OnnxRule<T extends Op<any, any, any> = Op<any, any, any>> =
  T extends Op<infer I, infer O, infer A>
    ? (call: OnnxCall<I, A>) => {
        readonly [Name in O as Name extends `${infer Bare}?` ? Bare : Name]?: string | OrderedTensor;
      }
    : never;
