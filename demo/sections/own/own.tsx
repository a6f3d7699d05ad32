import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { engine, engineStatus } from "../../state/engine.ts";
import { percent } from "../../ui/numbers.ts";
import { Probabilities } from "../../ui/probabilities.tsx";
import { Section } from "../../ui/section.tsx";
import { ClassCard } from "./class-card.tsx";
import { Source } from "./source.tsx";
import { addClass, answer, classes, forget, MOST_CLASSES, missing, own, start, train } from "./state.ts";

let started = false;

export function Own() {
  const taken = useSignal(0);
  useEffect(() => {
    if (!started) void start();
    started = true;
  }, []);
  return (
    <Section
      id="own"
      title="Your own data"
      intro={
        <p>
          The same layers learn whatever you show them: two to ten classes, a handful of images of each. Draw them, pick
          image files or use the camera. The images stay on this machine.
        </p>
      }
    >
      <div class="own">
        <Source taken={taken.value} />
        <div class="own-classes">
          <ol class="class-list">
            {classes.value.map((one, index) => (
              <ClassCard key={index} one={one} index={index} onTaken={() => taken.value++} />
            ))}
          </ol>
          <p class="buttons">
            {classes.value.length < MOST_CLASSES && (
              <button type="button" class="quiet" onClick={addClass}>
                Add a class
              </button>
            )}
            <button type="button" class="quiet" onClick={() => void forget()}>
              Forget all
            </button>
          </p>
          <Training />
          {own.value.kind === "trained" && (
            <Probabilities
              id="own-answer"
              values={answer.value}
              names={own.value.names}
              empty="Draw something, or hold it before the camera: the network tells your classes apart."
            />
          )}
        </div>
      </div>
    </Section>
  );
}

function Training() {
  const state = own.value;
  const why = missing(classes.value);
  const ready = engineStatus.value.kind === "ready";
  const progress = state.kind === "training" ? state.progress : undefined;
  return (
    <div class="own-training" data-own={state.kind}>
      <p class="buttons">
        {state.kind === "training" ? (
          <button type="button" id="own-stop" class="quiet" onClick={() => void engine.stopOwn()}>
            Stop
          </button>
        ) : (
          <button type="button" id="own-train" disabled={why !== undefined || !ready} onClick={() => void train()}>
            Train on my images
          </button>
        )}
      </p>
      <p role="status">
        {state.kind === "training" &&
          (progress
            ? `Epoch ${progress.epoch} of at most ${progress.epochs}: ${percent(progress.accuracy)} of your images told apart.`
            : "Compiling the GPU's programs (shaders) …")}
        {state.kind !== "training" && why}
        {state.kind === "trained" && !why && "Trained, and kept in this browser. Train again to learn what you add."}
      </p>
    </div>
  );
}
