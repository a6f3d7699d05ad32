import nanSource from "../../../shaders/lib/nan.wgsl";
import runsSource from "../../../shaders/pointwise/lib/runs.wgsl";
import source from "../../../shaders/updates/norm_constraint.wgsl";
import { wrong } from "../../base/errors.ts";
import { defineOp, typed } from "../../graph/op.ts";
import type { Kernel } from "../../wgsl/kernel.ts";
import { dispatchGroups } from "../access.ts";
import { countOf, runConstants, runsOf } from "../pointwise/broadcast.ts";

const kernel: Kernel<{ p: "write" }> = source;

export interface NormConstraintAttributes {
  /** Axes along which a norm is taken, each once. */
  readonly axes: readonly number[];
  /** Smallest and largest norm. */
  readonly least: number;
  readonly most: number;
  /** Share of the way that a norm outside is brought back. */
  readonly rate: number;
}

/**
 * Brings the norms of p along some axes to between `least` and `most`, or `rate` of the way there, in place:
 * p := p desired / (1e-7 + norm), desired = rate clamp(norm) + (1 - rate) norm.
 */
export const normConstraint = defineOp({
  name: "normConstraint",
  inputs: ["p"],
  outputs: [],
  attributes: typed<NormConstraintAttributes>(),
  infer: ({ p }, { axes }, where) => {
    const rank = p.shape.length;
    const known = axes.every((axis) => Number.isInteger(axis) && axis >= 0 && axis < rank);
    if (!known || axes.length === 0 || new Set(axes).size < axes.length)
      throw wrong(`"${where}": axes`, `be axes from 0 to ${rank - 1}, each once`, axes);
    return {};
  },
  updates: ["p"],
  lower: ({ inputs, attributes: { axes, least, most, rate } }) => {
    const { shape } = inputs.p;
    const kept = runsOf(shape, (axis) => !axes.includes(axis));
    const reduced = runsOf(shape, (axis) => axes.includes(axis));
    return [
      dispatchGroups(kernel, countOf(kept), {
        bind: inputs,
        constants: {
          NORMS: countOf(kept),
          TERMS: countOf(reduced),
          LEAST: least,
          MOST: most,
          RATE: rate,
          ...runConstants("KEPT", kept),
          ...runConstants("REDUCED", reduced),
        },
        libraries: [runsSource, nanSource],
      }),
    ];
  },
});
