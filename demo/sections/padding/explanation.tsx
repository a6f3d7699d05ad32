import type { ComponentChildren } from "preact";
import type { Sliding } from "../../geometry.ts";
import { padding, sliding } from "./state.ts";

/** The formula with its numbers put in, and each number in a sentence. */
export function Explanation() {
  const { n, k, s, before, after, places } = sliding.value;
  const zeros = before === after ? `2·${before}` : `(${before} + ${after})`;
  return (
    <div class="explanation">
      <p class="formula" id="padding-formula">
        <span>output = ⌊(n + 2p − k) / s⌋ + 1</span>= ⌊({n} + {zeros} − {k}) / {s}⌋ + 1 ={" "}
        <output id="padding-size" data-value={places}>
          {places}
        </output>
      </p>
      <dl class="sizes">
        <Size name="n" value={n}>
          The input is {n} pixels high and {n} wide.
        </Size>
        <Size name="k" value={k}>
          The kernel covers {k} × {k} of them at a time.
        </Size>
        <Size name="s" value={s}>
          {s === 1 ? "From one place to the next it moves by a single pixel." : `It moves ${s} pixels at a time.`}
        </Size>
        <Size name="p" value={before === after ? before : `${before} | ${after}`}>
          <Zeros {...sliding.value} />
        </Size>
        <Size name="output" value={Math.max(0, places)}>
          <Places {...sliding.value} />
        </Size>
      </dl>
    </div>
  );
}

function Size(props: { name: string; value: number | string; children: ComponentChildren }) {
  return (
    <div>
      <dt>
        {props.name} = <b>{props.value}</b>
      </dt>
      <dd>{props.children}</dd>
    </div>
  );
}

function Zeros({ n, k, s, before, after }: Sliding) {
  if (padding.value === "valid") return <>No zeros are added: the kernel stays inside the input.</>;
  const wanted = Math.ceil(n / s);
  const total = before + after;
  return (
    <>
      Zeros are added until the output is ⌈{n} / {s}⌉ = {wanted}: max(({wanted} − 1)·{s} + {k} − {n}, 0) = {total} of
      them along each side, {before} before and {after} after.
      {before !== after && " The odd one goes after the input, as in Keras."}
    </>
  );
}

function Places({ places, unreached }: Sliding) {
  if (places < 1) return <>The kernel is larger than the input: there is no place for it.</>;
  const count = places === 1 ? "one place" : `${places} places`;
  const rest = unreached === 1 ? "The last row and column are" : `The last ${unreached} rows and columns are`;
  return (
    <>
      The kernel has {count} along each side, so the feature map is {places} × {places}.
      {unreached > 0 && ` ${rest} never reached.`}
    </>
  );
}
