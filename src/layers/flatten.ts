import { knownKeys, optionalText } from "../base/errors.ts";
import { elements, type Shape } from "../base/shape.ts";
import type { Layer } from "./layer.ts";
import { inputShapeOption } from "./options.ts";

/** Each sample as one row of numbers, [batch, features], in row-major order: Keras's `Flatten`. Costs nothing. */
export function flatten(options: { readonly inputShape?: Shape; readonly name?: string } = {}): Layer {
  knownKeys(options, ["inputShape", "name"], "flatten");
  return {
    type: "Flatten",
    name: optionalText(options.name, "flatten: name"),
    inputShape: inputShapeOption(options.inputShape, "flatten: inputShape"),
    config: {},
    parameters: () => [],
    call: ({ input, add, shapeOf }) => {
      const [batch, ...sample] = shapeOf(input);
      return add("reshape", [input], { shape: [batch, elements(sample)] })[0]!;
    },
  };
}
