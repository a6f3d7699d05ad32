import { asObject, type CheckContext, plain, record, text } from "../base/check.ts";
import { FeaturemapError, show, tagOf } from "../base/errors.ts";
import { maxNorm, minMaxNorm, nonNeg, unitNorm } from "../layers/constraints.ts";
import type { LayerPart } from "../layers/layer-parts.ts";
import { l1, l1L2, l2, orthogonalRegularizer } from "../layers/regularizers.ts";

/** Regularizers and constraints of the library, by their names. */
const FACTORIES: Readonly<
  Record<"regularizer" | "constraint", Readonly<Record<string, (config?: object) => LayerPart>>>
> = {
  regularizer: { l1, l2, l1L2, orthogonalRegularizer },
  constraint: { maxNorm, minMaxNorm, nonNeg, unitNorm },
};

/** Puts `{ className, config }` in the place of each regularizer and constraint among a layer's options. */
export function partsSaved(options: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(options).map(([name, value]) => [name, isPart(value) ? saved(value) : value]),
  );
}

function isPart(value: unknown): value is LayerPart {
  return tagOf(value) === "Object" && typeof (value as LayerPart).onto === "function";
}

function saved({ name, config = {} }: LayerPart) {
  return { className: name, config };
}

/**
 * Makes the regularizers and constraints among a layer's options again. A config may name one by a word, as Keras does, too: `"l2"`.
 *
 * @throws FeaturemapError `value` for a name that is not the library's, and for options that are wrong
 */
export function partsMade(
  options: Readonly<Record<string, unknown>>,
  where: string,
): Readonly<Record<string, unknown>> {
  const made = Object.entries(options).map(([name, value]) => {
    const kind = /(Regularizer|Constraint)$/.exec(name)?.[0].toLowerCase();
    if (!kind) return [name, value];
    return [name, partMade(value, kind as keyof typeof FACTORIES, { path: `${where}.${name}`, code: "value" })];
  });
  return Object.fromEntries(made) as Record<string, unknown>;
}

function partMade(value: unknown, kind: keyof typeof FACTORIES, context: CheckContext): unknown {
  if (value === undefined || value === null) return undefined;
  if (tagOf(value) === "Object" && typeof (value as Partial<LayerPart>).onto === "function") return value;
  const { className, config } =
    typeof value === "string"
      ? { className: value, config: undefined }
      : record<{ className: string; config: object }>(
          { className: text, config: (each, at) => plain(asObject(each, at), at) as object },
          { only: true },
        )(value, context);
  const factories = FACTORIES[kind];
  const name = className.charAt(0).toLowerCase() + className.slice(1);
  if (Object.hasOwn(factories, name)) return factories[name]!(config);
  const known = Object.keys(factories).join(", ");
  throw new FeaturemapError("value", `${context.path} is no known ${kind}: ${show(className)}. It can be: ${known}.`);
}
