// Runs in the browser: writes a model's ONNX file, and what it predicts.

import { createRuntime, type Prediction, type TensorData, tensor } from "../../../src/index.ts";
import { INTERNALS } from "../../../src/model/internals.ts";
import { toOnnx } from "../../../src/onnx/onnx.ts";
import { randomArray } from "../../reference/random.ts";
import { onnxCases } from "./cases.ts";

/** Numbers as base64 of their bytes. */
interface Packed {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: string;
}

export interface RanCase {
  readonly name: string;
  readonly layout: string;
  readonly atol: number;
  readonly rtol: number;
  readonly file: string;
  readonly inputs: readonly Packed[];
  readonly outputs: readonly Packed[];
}

const ROWS = 3;

const base64 = (bytes: Uint8Array) => {
  let text = "";
  for (let at = 0; at < bytes.length; at += 2 ** 15) text += String.fromCharCode(...bytes.subarray(at, at + 2 ** 15));
  return btoa(text);
};

const packed = (name: string, shape: readonly number[], data: Float32Array): Packed => ({
  name,
  shape,
  data: base64(new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
});

/** Names of the cases. */
export function names(): string[] {
  return onnxCases().map(({ name }) => name);
}

export async function run(name: string): Promise<RanCase> {
  const { model, tolerance, options = {}, winograd = false } = onnxCases().find((each) => each.name === name)!;
  const runtime = await createRuntime();
  await model.compile({ runtime, winograd, seed: 7 });
  const { inputs, outputs } = model[INTERNALS].architecture.network!;
  const data = inputs.map(({ shape }, i) => {
    const size = shape.reduce((a, b) => a * b, ROWS);
    return Float32Array.from(randomArray(size, i + 1));
  });
  const columns = inputs.map(({ shape }, i): TensorData => tensor(data[i]!, [ROWS, ...shape]));
  const x = columns.length === 1 ? columns[0]! : Object.fromEntries(inputs.map((each, i) => [each.name, columns[i]!]));
  const bytes = await toOnnx(model, options);
  const predicted = (await model.predict(x)) as Prediction | Readonly<Record<string, Prediction>>;
  const predictions =
    predicted.data instanceof Float32Array ? { [outputs[0]!.name]: predicted as Prediction } : predicted;
  model.dispose();
  runtime.dispose();
  return {
    name,
    layout: options.layout ?? "nhwc",
    atol: tolerance.atol,
    rtol: tolerance.rtol,
    file: base64(bytes),
    inputs: inputs.map((each, i) => packed(each.name, [ROWS, ...each.shape], data[i]!)),
    outputs: Object.entries(predictions as Readonly<Record<string, Prediction>>).map(([name, { shape, data }]) =>
      packed(name, shape, data),
    ),
  };
}
