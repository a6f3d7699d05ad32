import { percent } from "./numbers.ts";

/** A bar a class, the likeliest one marked. */
export function Probabilities(props: {
  /** Of the element with the likeliest class. */
  id: string;
  values: Float32Array | undefined;
  names: readonly string[];
  /** Stands where there is nothing to be read. */
  empty: string;
}) {
  const { id, values, names, empty } = props;
  const best = values ? values.indexOf(Math.max(...values)) : -1;
  return (
    <div class="probabilities">
      <p class="answer" aria-live="polite">
        {values ? (
          <>
            Reads <output id={id}>{names[best]}</output>, {percent(values[best]!)} sure
          </>
        ) : (
          empty
        )}
      </p>
      <ol>
        {names.map((name, i) => (
          <li key={name} class={i === best ? "best" : ""}>
            <b>{name}</b>
            <span class="bar" style={{ "--share": String(values?.[i] ?? 0) }} />
            <span class="share">{values ? percent(values[i]!) : "–"}</span>
          </li>
        ))}
      </ol>
    </div>
  );
}
