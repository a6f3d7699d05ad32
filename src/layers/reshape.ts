import { FeaturemapError, knownKeys, wrong } from "../base/errors.ts";
import { batchShape, elements, type Shape, showShape } from "../base/shape.ts";
import { reshape as reshapeOp } from "../ops/elementwise/reshape.ts";
import { defineLayer } from "./define-layer.ts";
import { type Layer, subject } from "./layer.ts";
import { LAYER_OPTIONS, type LayerOptions, layerOptions, shortList } from "./options.ts";

export interface ReshapeOptions extends LayerOptions {
  /** Shape of one sample of the output. One size may be -1: what is left. */
  readonly targetShape: Shape;
}

/**
 * Each sample under another shape, in row-major order: Keras's `Reshape`. It costs nothing.
 *
 * @throws FeaturemapError `value` for an option that is missing, unknown or wrong; `shape`, when it is called or built, where the numbers
 *   of elements differ
 * @example
 * reshape({ targetShape: [7, 7, -1] });
 */
export function reshape(options: ReshapeOptions): Layer {
  const where = "reshape";
  knownKeys(options, ["targetShape", ...LAYER_OPTIONS], where);
  const targetShape = shortList(options.targetShape, `${where}: targetShape`);
  const sizes = targetShape.filter((size) => size !== -1);
  const isShape = sizes.every((size) => Number.isSafeInteger(size) && size >= 1) && targetShape.length > 0;
  if (!isShape || targetShape.length - sizes.length > 1)
    throw wrong(`${where}: targetShape`, "be sizes of at least 1, of which one may be -1", options.targetShape);
  const sampleOf = (input: Shape) => {
    const left = elements(input) / elements(sizes);
    return targetShape.map((size) => (size === -1 ? left : size));
  };
  const type = "Reshape";
  return defineLayer({
    type,
    ...layerOptions(options, where),
    config: { targetShape },
    variables: ({ name, input }) => {
      const made = sampleOf(input);
      if (made.every(Number.isInteger) && elements(made) === elements(input)) return [];
      const got = `${batchShape(input)}, which has ${elements(input)} numbers a sample`;
      throw new FeaturemapError(
        "shape",
        `${subject(type, name)} gives each sample the shape ${showShape(targetShape)}, got ${got}. Choose sizes with that product.`,
      );
    },
    call: ({ input, add, shapeOf }) => {
      const [batch, ...sample] = shapeOf(input);
      return add(reshapeOp, { x: input }, { shape: [batch!, ...sampleOf(sample)] }).y;
    },
  });
}
