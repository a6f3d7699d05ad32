import { percent } from "../../ui/numbers.ts";

/** A bar a class, the likeliest one marked. */
export function Probabilities({ values, names }: { values: Float32Array | undefined; names: readonly string[] }) {
  const best = values ? values.indexOf(Math.max(...values)) : -1;
  return (
    <div class="probabilities">
      <p class="answer" aria-live="polite">
        {values ? (
          <>
            Reads <output id="try-answer">{names[best]}</output>, {percent(values[best]!)} sure
          </>
        ) : (
          "Draw something to be read."
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
