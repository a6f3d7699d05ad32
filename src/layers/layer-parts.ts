import { wrong } from "../base/errors.ts";
import type { LayerSpec } from "./layer.ts";

/** Part of a layer that comes with an option: a regularizer or a constraint. Only an app that imports one ships it. */
export interface LayerPart {
  readonly name: string;
  /** Options that make it again, as plain JSON. `toConfig` writes them down. */
  readonly config?: Readonly<Record<string, unknown>>;
  /**
   * Gives a layer that has the part.
   *
   * @param option Name of the option that it came with: `kernelRegularizer`.
   * @throws FeaturemapError `value` for an option that it does not suit
   */
  onto(layer: LayerSpec, option: string): LayerSpec;
}

/** Gives a layer the parts among its options. @throws FeaturemapError `value` for one that is none; `where` names the layer */
export function withParts(layer: LayerSpec, options: object, where: string): LayerSpec {
  let made = layer;
  for (const [option, part] of Object.entries(options as Readonly<Record<string, LayerPart | undefined>>)) {
    const [kind] = /(Regularizer|Constraint)$/.exec(option) ?? [];
    if (part === undefined || !kind) continue;
    if (typeof part?.onto !== "function") throw wrong(`${where}: ${option}`, `be a ${kind.toLowerCase()}`, part);
    made = part.onto({ ...made, config: { ...made.config, [option]: part } }, option);
  }
  return made;
}

/** Finds a layer's variable by the stem of an option: `depthwise` may stand for `kernel` or `depthwise_kernel`. */
export function variableOf<T>(variables: Readonly<Record<string, T>>, stem: string): T | undefined {
  const isKernel = stem === "depthwise" || stem === "pointwise";
  return variables[stem] ?? (isKernel ? (variables[`${stem}_kernel`] ?? variables.kernel) : undefined);
}
