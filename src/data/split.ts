import { FeaturemapError, wrong } from "../base/errors.ts";
import { elements } from "../base/shape.ts";
import { HostData, wholeWords } from "./columns.ts";

/**
 * Divides checked data in two: the last share of the samples is for validation, as with Keras's `validation_split`
 * (`keras/src/trainers/data_adapters/array_slicing.py`). Numbers are copied only where bytes do not begin or end at a word.
 *
 * @throws FeaturemapError `value` for a buffer of the app's, or if a part would be empty
 */
export function splitForValidation(data: HostData, share: number): readonly [training: HostData, validation: HostData] {
  const { size } = data;
  const at = Math.floor(size * (1 - share));
  const where = "fit: validationSplit";
  if (data.columns.some(({ words }) => !words))
    throw wrong(where, "be of numbers, not of a GPUBuffer: give validationData", share);
  if (at === 0 || at === size)
    throw new FeaturemapError("value", `${where} of ${share} leaves ${at} of ${size} samples to train on.`);
  return [rowsOf(data, 0, at), rowsOf(data, at, size)];
}

function rowsOf({ columns }: HostData, from: number, to: number): HostData {
  const part = columns.map((column) => {
    const { buffer, byteOffset } = column.words!;
    const bytes = elements(column.shape) * (column.dtype === "u8" ? 1 : 4);
    const words = new Uint8Array(buffer, byteOffset + from * bytes, (to - from) * bytes);
    return { ...column, words: column.dtype === "u8" ? wholeWords(words) : words };
  });
  return new HostData({ size: to - from, columns: part });
}
