// Which layer a dispatch works for, and whether on its output or on one of its gradients: by the names of the plan's
// nodes, of which a layer's begin with its name, and by who reads what a dispatch wrote.

import type { Direction } from "../arithmetic.ts";
import type { DispatchFigures } from "./figures.ts";

export interface Attribution {
  /** Place in the network's layers; `undefined` for what belongs to none: gathering, the loss, the state. */
  readonly layer: number | undefined;
  readonly direction: Direction;
}

type Dispatches = readonly Pick<DispatchFigures, "node" | "kernel" | "reads" | "writes">[];

export function attribute(dispatches: Dispatches, layerNames: readonly string[]): Attribution[] {
  const layers = dispatches.map(({ node }) => {
    const at = layerNames.indexOf(node.split("/")[0]!);
    return at < 0 ? undefined : at;
  });
  return dispatches.map((dispatch, i) => {
    const own = directionOf(dispatch);
    return { layer: layers[i], direction: own === "shared" ? firstUse(dispatches, layers, i) : own };
  });
}

/** `shared`: of a gradient, but neither the input's nor the parameters' by its name. */
function directionOf({ node, kernel }: Dispatches[number]): Direction | "shared" {
  const inside = node.split("/").slice(1).join("/");
  const text = `${inside} ${kernel}`.toLowerCase().replaceAll("_", "");
  if (/inputgradient/.test(text)) return "dX";
  if (/filtergradient|weightgradient|kernelgradient|sgd/.test(text)) return "dW";
  return /gradient/.test(text) ? "shared" : "forward";
}

/** The direction of the first dispatch after it that reads what it wrote and is of one direction. */
function firstUse(dispatches: Dispatches, layers: readonly (number | undefined)[], from: number): Direction {
  const written = new Set(dispatches[from]!.writes);
  for (let i = from + 1; i < dispatches.length; i++) {
    const { reads, writes } = dispatches[i]!;
    const direction = directionOf(dispatches[i]!);
    if (reads.some((buffer) => written.has(buffer))) {
      if (layers[i] === layers[from] && (direction === "dX" || direction === "dW")) return direction;
      // What came of it is followed, too.
      for (const buffer of writes) written.add(buffer);
    } else for (const buffer of writes) written.delete(buffer);
  }
  return "dX";
}
