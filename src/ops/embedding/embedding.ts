import source from "../../../shaders/embedding/embedding.wgsl";
import gradientSource from "../../../shaders/embedding/embedding_gradient.wgsl";
import entrySource from "../../../shaders/embedding/lib/entry.wgsl";
import nanSource from "../../../shaders/lib/nan.wgsl";
import stateSource from "../../../shaders/lib/state.wgsl";
import { FeaturemapError } from "../../base/errors.ts";
import { ceilDiv, elements, showShape } from "../../base/shape.ts";
import { defineOp, typed } from "../../graph/op.ts";
import type { Kernel } from "../../wgsl/kernel.ts";
import { dispatchEach, operand, output } from "../access.ts";

const kernel: Kernel<{ x: "read"; table: "read"; y: "write" }> = source;

const gradientKernel: Kernel<{ state: "read"; x: "read"; dy: "read"; dtable: "write" }> = gradientSource;

/** Gradient of the table: the sum of the rows of dy whose x names a row, over the samples in use, in their order. */
export const embeddingGradient = defineOp({
  name: "embeddingGradient",
  inputs: ["x", "dy", "state"],
  outputs: ["dtable"],
  attributes: typed<{ readonly entries: number }>(),
  infer: ({ dy }, { entries }) => ({ dtable: { shape: [entries, dy.shape.at(-1)!], dtype: "f32" } }),
  lower: ({ inputs: { x, dy, state }, outputs, attributes: { entries } }) => {
    const [batch, width] = [x.shape[0]!, dy.shape.at(-1)!];
    return [
      dispatchEach(gradientKernel, entries * ceilDiv(width, 4), {
        bind: { state, x, dy, ...outputs },
        constants: { BATCH: batch, SAMPLE_ROWS: elements(x.shape) / batch, ENTRIES: entries, OUT: width },
        libraries: [stateSource, entrySource, nanSource, operand("dy", width), output("dtable", width)],
      }),
    ];
  },
});

/**
 * Rows of a table: y[..., :] = table[x[...]], for x [batch, ...] of numbers from 0 on and table [entries, width]. A number that names no
 * row makes a row of NaN. x gets no gradient.
 */
export const embedding = defineOp({
  name: "embedding",
  inputs: ["x", "table"],
  outputs: ["y"],
  infer: ({ x, table }, _, where) => {
    if (table.shape.length !== 2 || x.dtype !== "f32") {
      const got = `x ${showShape(x.shape)} of ${x.dtype} and table ${showShape(table.shape)}`;
      throw new FeaturemapError("shape", `"${where}" wants x of f32 and a table [entries, width], got ${got}.`);
    }
    return { y: { shape: [...x.shape, table.shape[1]!], dtype: "f32" } };
  },
  gradient: ({ gradients: { y: dy }, inputs: { x, table }, wanted, state, tensor, add }) => {
    if (!wanted.table) return {};
    const [entries] = tensor(table).shape;
    return { table: add(embeddingGradient, { x, dy: dy!, state }, { entries: entries! }).dtable };
  },
  lower: ({ inputs: { x, table }, outputs: { y } }) => {
    const [entries, width] = table.shape as readonly [number, number];
    const rows = elements(x.shape);
    return [
      dispatchEach(kernel, rows * ceilDiv(width, 4), {
        bind: { x, table, y },
        constants: { ROWS: rows, ENTRIES: entries, OUT: width },
        libraries: [entrySource, nanSource, operand("table", width), output("y", width)],
      }),
    ];
  },
});
