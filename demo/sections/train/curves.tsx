import { computed } from "@preact/signals";
import { epochEnds, place, points, run, settings } from "../../state/training.ts";
import { Chart } from "../../ui/chart.tsx";
import { loss, percent } from "../../ui/numbers.ts";
import type { Line } from "../../ui/plot.ts";

type Figure = "loss" | "accuracy";

const linesOf = (figure: Figure, tested: "validationLoss" | "validationAccuracy") =>
  computed((): readonly Line[] => [
    { name: "training", color: "--training", points: points.value.map((point) => ({ x: point.x, y: point[figure] })) },
    {
      name: "test",
      color: "--validation",
      points: epochEnds.value.map((end) => ({ x: end.x, y: end[tested] })),
      dots: true,
    },
  ]);
const lossLines = linesOf("loss", "validationLoss");
const accuracyLines = linesOf("accuracy", "validationAccuracy");

/** Epochs on the axis: those before this run, and all of this run. */
const xMax = computed(() => {
  const reached = points.value.at(-1)?.x ?? 0;
  const { epochs, steps } = run.value ?? { epochs: settings.value.epochs, steps: 1 };
  const { epoch, step } = place.value ?? { epoch: 0, step: 0 };
  return Math.max(reached, Math.ceil(reached - epoch - step / steps - 0.001) + epochs);
});

export function Curves() {
  return (
    <>
      <div class="charts">
        <Chart
          title="Loss"
          lines={lossLines.value}
          xMax={xMax.value}
          xName="epoch"
          format={loss}
          tick={(value) => String(value)}
        />
        <Chart
          title="Accuracy"
          lines={accuracyLines.value}
          xMax={xMax.value}
          xName="epoch"
          yMax={1}
          format={percent}
          tick={(share) => `${Math.round(100 * share)}%`}
        />
      </div>
      <Table />
    </>
  );
}

/** The curves in numbers. */
function Table() {
  return (
    <details class="epochs">
      <summary>Epochs in numbers</summary>
      <table>
        <thead>
          <tr>
            {["Epoch", "Loss", "Accuracy", "Test loss", "Test accuracy"].map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {epochEnds.value.map((end) => (
            <tr key={end.x}>
              <th scope="row">{Number(end.x.toFixed(2))}</th>
              <td>{loss(end.loss)}</td>
              <td>{percent(end.accuracy)}</td>
              <td>{loss(end.validationLoss)}</td>
              <td>{percent(end.validationAccuracy)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {epochEnds.value.length === 0 && <p class="small">No epoch has ended yet.</p>}
    </details>
  );
}
