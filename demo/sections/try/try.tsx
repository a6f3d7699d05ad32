import { useEffect } from "preact/hooks";
import { DIGITS, IMAGE_PIXELS } from "../../network.ts";
import { epochsLearned, opened, outdated, shareRight } from "../../state/training.ts";
import { asMnist } from "../../ui/as-mnist.ts";
import { DrawingPad } from "../../ui/drawing-pad.tsx";
import { UNIT_RANGE } from "../../ui/palette.ts";
import { PixelGrid } from "../../ui/pixel-grid.tsx";
import { Probabilities } from "../../ui/probabilities.tsx";
import { Section } from "../../ui/section.tsx";
import { Path } from "./path.tsx";
import { layers, pixels, probabilities, startLooking } from "./state.ts";
import { trainedWords } from "./trained.ts";

const NAMES = Array.from({ length: DIGITS }, (_, i) => String(i));
const NOTHING = new Float32Array(IMAGE_PIXELS);

let looking = false;

export function Try() {
  useEffect(() => {
    if (!looking) startLooking();
    looking = true;
  }, []);
  return (
    <Section
      id="try"
      title="Try it"
      intro={
        <p>
          Draw a digit. It is centred and scaled as MNIST's digits are, and the network reads it at each stroke. Then
          follow the drawing through the layers: pick a feature map, point at a cell, and see the sum that made it.
        </p>
      }
    >
      <div class="try">
        <DrawingPad
          label="Draw a digit"
          onInk={(ink) => {
            pixels.value = ink && asMnist(ink);
          }}
        />
        <figure>
          <figcaption>What the network sees</figcaption>
          <PixelGrid
            values={pixels.value ?? NOTHING}
            rows={28}
            columns={28}
            palette="plain"
            range={UNIT_RANGE}
            label="The drawing, 28 by 28 pixels"
          />
        </figure>
        <div>
          <Probabilities
            id="try-answer"
            values={probabilities.value}
            names={NAMES}
            empty="Draw something to be read."
          />
          <Trained />
        </div>
      </div>
      {outdated.value && <p class="hint">It is read by the network that was trained, not by the changed one above.</p>}
      {layers.value.length > 0 && <Path />}
    </Section>
  );
}

/** What the answer is worth. */
function Trained() {
  const words = trainedWords({ opened: opened.value, epochs: epochsLearned.value, share: shareRight.value });
  return (
    <p class="small" id="try-trained">
      {words ?? (
        <>
          The network is untrained, and guesses: <a href="#train">train it first</a>.
        </>
      )}
    </p>
  );
}
