import { elements } from "../base/shape.ts";
import type { ResampleAttributes, resample as resampleOp } from "../ops/resample/resample.ts";
import type { OnnxRule } from "./rule.ts";

/** Gives the matrix [size, length] of an axis, row by row: what each place of x adds to each of y (see `shaders/resample/lib/taps.wgsl`). */
function matrixOf(length: number, { size, interpolation, antialias }: ResampleAttributes): number[] {
  const reach = 2 * (antialias ? Math.max(length, size) : size);
  return Array.from({ length: size }, (_, o) => {
    const at = (2 * o + 1) * length;
    const row = Array.from({ length }, (_, k) => {
      if (interpolation === "nearest") return k === Math.floor(at / (2 * size)) ? 1 : 0;
      return Math.max(reach - Math.abs(at - (2 * k + 1) * size), 0);
    });
    const total = row.reduce((a, b) => a + b, 0);
    return row.map((weight) => weight / total);
  }).flat();
}

/** A product with the axis's matrix. ONNX's Resize takes a mean of all that a smaller image stands for from opset 18 on only. */
export const resample: OnnxRule<typeof resampleOp> = ({ inputs: { x }, attributes, read, add, constant }) => {
  const { axis, size } = attributes;
  const [, ...sample] = x.shape;
  const length = x.shape[axis]!;
  const behind = elements(x.shape.slice(axis + 1));
  const matrix = constant({ floats: matrixOf(length, attributes), shape: [size, length] });
  const rows = add("Reshape", [read(x), constant({ ints: [-1, length, behind] })]);
  const shape = sample.map((each, i) => (i + 1 === axis ? size : each));
  return { y: add("Reshape", [add("MatMul", [matrix, rows]), constant({ ints: [-1, ...shape] })]) };
};
