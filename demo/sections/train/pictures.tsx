import { computed } from "@preact/signals";
import { type PictureFacts, picturesOf } from "../../engine/pictures.ts";
import { begun, network } from "../../state/training.ts";
import { count } from "../../ui/numbers.ts";
import { DigitChoice } from "./digit-choice.tsx";
import { Picture } from "./picture.tsx";

const pictures = computed(() => begun.value && network.value && picturesOf(network.value.spec, network.value.layers));

/** What is inside of the network while it learns. */
export function Pictures() {
  const all = pictures.value;
  if (!all) return <p class="small empty">Once it trains, its kernels and feature maps show here, as they change.</p>;
  const kernels = all.filter(({ kind }) => kind === "kernels");
  const maps = all.filter(({ kind }) => kind === "maps");
  return (
    <>
      {kernels.map((facts) => (
        <div key={keyOf(facts)}>
          <h3>Kernels of the first layer</h3>
          <p class="small">
            {facts.layer}: {shown(facts)} of {facts.rows} × {facts.columns} weights. Yellow adds what it lies on, orange
            takes it away.
          </p>
          <Picture facts={facts} />
        </div>
      ))}
      {maps.length > 0 && (
        <div>
          <h3>Feature maps of a digit</h3>
          <DigitChoice />
          <div class="maps">
            {maps.map((facts) => (
              <div key={keyOf(facts)}>
                <p class="small">
                  {facts.layer}: {shown(facts)} maps of {facts.rows} × {facts.columns}
                </p>
                <Picture facts={facts} />
              </div>
            ))}
          </div>
        </div>
      )}
    </>
  );
}

function shown({ tiles, all }: PictureFacts): string {
  return tiles === all ? count(all) : `the first ${tiles} of ${count(all)}`;
}

/** Another picture gets another canvas: a canvas is handed to the engine once. */
function keyOf(facts: PictureFacts): string {
  return JSON.stringify(facts);
}
