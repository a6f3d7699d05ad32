import { engineStatus } from "../../state/engine.ts";
import { epochEnds, place, points, run } from "../../state/training.ts";
import { count, loss, percent } from "../../ui/numbers.ts";

/** The latest figures. */
export function Figures() {
  const point = points.value.at(-1);
  const end = epochEnds.value.at(-1);
  const ms = place.value?.msPerStep;
  const speed = ms === undefined || !run.value ? undefined : (1000 * run.value.batchSize) / ms;
  const adapter = engineStatus.value.kind === "ready" ? engineStatus.value.adapter.label : undefined;
  return (
    <>
      <dl class="facts">
        <Figure id="train-loss" name="Loss" value={point && loss(point.loss)} />
        <Figure id="train-accuracy" name="Accuracy" value={point && percent(point.accuracy)} />
        <Figure id="validation-loss" name="Test loss" value={end && loss(end.validationLoss)} />
        <Figure id="validation-accuracy" name="Test accuracy" value={end && percent(end.validationAccuracy)} />
        <Figure id="ms-per-step" name="ms per step" value={ms?.toFixed(ms < 10 ? 2 : 0)} />
        <Figure
          id="images-per-second"
          name="Images per second"
          value={speed === undefined ? undefined : count(Math.round(speed))}
        />
      </dl>
      <p class="small">
        <output id="train-adapter" aria-live="off">
          {adapter ?? "No GPU"}
        </output>
        {run.value &&
          ` · batches of ${run.value.batchSize} · tested on ${count(run.value.validationImages)} images after each epoch`}
      </p>
    </>
  );
}

function Figure({ id, name, value }: { id: string; name: string; value: string | undefined }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <output id={id} aria-live="off">
          {value ?? "–"}
        </output>
      </dd>
    </div>
  );
}
