/** Transposes, paddings and concatenations by plain loops over places. */

const count = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/** Makes a tensor of what `value` gives at each place. */
function filled(shape: readonly number[], value: (place: readonly number[]) => number): Float64Array {
  const place = shape.map(() => 0);
  return new Float64Array(count(shape)).map(() => {
    const made = value(place);
    for (let axis = shape.length - 1; axis >= 0 && ++place[axis]! === shape[axis]; axis--) place[axis] = 0;
    return made;
  });
}

const at = (values: ArrayLike<number>, shape: readonly number[], place: readonly number[]) =>
  values[shape.reduce((element, size, axis) => element * size + place[axis]!, 0)]!;

export function transpose(x: ArrayLike<number>, shape: readonly number[], axes: readonly number[]): Float64Array {
  const made = axes.map((axis) => shape[axis]!);
  return filled(made, (place) => {
    const from = shape.map(() => 0);
    axes.forEach((axis, i) => {
      from[axis] = place[i]!;
    });
    return at(x, shape, from);
  });
}

export function pad(
  x: ArrayLike<number>,
  shape: readonly number[],
  before: readonly number[],
  after: readonly number[],
  value = 0,
): Float64Array {
  const made = shape.map((size, axis) => before[axis]! + size + after[axis]!);
  return filled(made, (place) => {
    const from = place.map((each, axis) => each - before[axis]!);
    return from.every((each, axis) => each >= 0 && each < shape[axis]!) ? at(x, shape, from) : value;
  });
}

export function concatenate(
  parts: readonly { readonly values: ArrayLike<number>; readonly shape: readonly number[] }[],
  axis: number,
): Float64Array {
  const size = parts.reduce((sum, { shape }) => sum + shape[axis]!, 0);
  const made = parts[0]!.shape.map((each, i) => (i === axis ? size : each));
  return filled(made, (place) => {
    let start = 0;
    for (const { values, shape } of parts) {
      const own = place.map((each, i) => (i === axis ? each - start : each));
      if (own[axis]! < shape[axis]!) return at(values, shape, own);
      start += shape[axis]!;
    }
    throw new Error("no part has the place");
  });
}
