import { FeaturemapError, flag, knownKeys, wholeNumber, wrong } from "../base/errors.ts";
import { batchShape, elements, type Shape } from "../base/shape.ts";
import type { TensorId } from "../graph/tensor.ts";
import { transpose } from "../ops/arrange/transpose.ts";
import { reshape } from "../ops/elementwise/reshape.ts";
import { evaluated } from "../ops/pointwise/pointwise.ts";
import { matmul } from "../ops/product/matmul.ts";
import { lastOrder } from "./along-axis.ts";
import { defineLayer } from "./define-layer.ts";
import { type Layer, type LayerCall, subject } from "./layer.ts";
import { assertInputs } from "./merge.ts";
import { LAYER_OPTIONS, type LayerOptions, layerOptions, shortList } from "./options.ts";
import { unitLength } from "./unit-length.ts";

export interface DotOptions extends LayerOptions {
  /** Axis of both inputs, or one of each, counted with the batch's, which is 0, or from the end. Their sizes agree. */
  readonly axes: number | readonly [number, number];
  /** Whether both inputs are brought to length 1 along the axes first, so that the products are cosines. Default false. */
  readonly normalize?: boolean;
}

/**
 * Products of two inputs, added up along an axis of each, sample by sample: Keras's `Dot` (`keras/src/layers/merging/dot.py`). Of rows [batch, n]
 * it makes [batch, 1]. Otherwise the output has the other axes of the first input, then those of the second: [batch, 2, 5] and
 * [batch, 5, 3] by axes [2, 1] make [batch, 2, 3].
 *
 * @throws FeaturemapError `value` for an option that is missing, unknown or wrong, or when it is called on other than two inputs;
 *   `shape` where the sizes of the axes differ
 * @example
 * const similarity = dot({ axes: -1, normalize: true })([left, right]);
 */
export function dot(options: DotOptions): Layer {
  const where = "dot";
  knownKeys(options, ["axes", "normalize", ...LAYER_OPTIONS], where);
  const given: unknown = options.axes;
  const list = Array.isArray(given) ? shortList<number>(given, `${where}: axes`) : [given, given];
  if (list.length !== 2) throw wrong(`${where}: axes`, "be an axis or a pair of them", given);
  const axes = list.map((axis) => wholeNumber(axis, `${where}: axes`));
  const normalize = flag(options.normalize ?? false, `${where}: normalize`);
  const type = "Dot";
  const placeOf = (rank: number, i: number) => (axes[i]! < 0 ? rank + axes[i]! : axes[i]!);
  return defineLayer({
    type,
    ...layerOptions(options, where),
    config: { axes, normalize },
    variables: (built) => {
      assertInputs(type, built, 2);
      const sizes = built.inputs.map((shape, i) => {
        const at = placeOf(shape.length + 1, i);
        if (at >= 1 && at <= shape.length) return shape[at - 1]!;
        const must = `be of ${shape.length + 1} axes beside the batch's for ${batchShape(shape)}`;
        throw wrong(`${subject(type, built.name)}: axes`, must, axes);
      });
      if (sizes[0] === sizes[1]) return [];
      const got = built.inputs.map((shape) => batchShape(shape)).join(" and ");
      const message = `adds up along axes of ${sizes[0]} and ${sizes[1]} numbers, of ${got}. Their sizes must agree`;
      throw new FeaturemapError("shape", `${subject(type, built.name)} ${message}.`);
    },
    call: (call) => {
      const { inputs, add, shapeOf } = call;
      const places = inputs.map((x, i) => placeOf(shapeOf(x).length, i));
      const [a, b] = inputs.map((x, i) => (normalize ? unitLength(add, x, [places[i]!], 1e-7) : x));
      const rest = inputs.map((x, i) => shapeOf(x).filter((_, axis) => axis !== 0 && axis !== places[i]));
      if (rest.every(({ length }) => length === 0)) {
        const reduction = { kind: "sum", axes: [1], keepDims: true } as const;
        return evaluated(add, ["multiply", "a", "b"], { a: a!, b: b! }, { reduction });
      }
      const rows = { a: rowsAlong(call, a!, places[0]!, rest[0]!), b: rowsAlong(call, b!, places[1]!, rest[1]!) };
      const shape = [shapeOf(inputs[0]!)[0]!, ...rest[0]!, ...rest[1]!];
      return add(reshape, { x: add(matmul, rows, { transposeB: true }).c }, { shape }).y;
    },
  });
}

/** Gives x as a matrix for each sample, whose rows run along an axis. */
function rowsAlong({ add, shapeOf }: LayerCall, x: TensorId, axis: number, rest: Shape): TensorId {
  const whole = shapeOf(x);
  const last = axis === whole.length - 1 ? x : add(transpose, { x }, { axes: lastOrder(whole.length, axis) }).y;
  return add(reshape, { x: last }, { shape: [whole[0]!, elements(rest), whole[axis]!] }).y;
}
