import { Section } from "../../ui/section.tsx";
import { Confusion } from "./confusion.tsx";
import { Controls } from "./controls.tsx";
import { Curves } from "./curves.tsx";
import { Figures } from "./figures.tsx";
import { Mistakes } from "./mistakes.tsx";
import { Pictures } from "./pictures.tsx";
import { Progress } from "./progress.tsx";

export function Train() {
  return (
    <Section
      id="train"
      title="Train"
      intro={
        <p>
          The network begins knowing nothing: its weights are random numbers. It is shown handwritten digits of MNIST, a
          batch at a time, and after each batch every weight moves a little to where the answers would have been less
          wrong. Other digits, which it never learns from, tell how well it reads.
        </p>
      }
    >
      <div class="sheet training">
        <Controls />
        <Progress />
        <Figures />
      </div>
      <Curves />
      <div class="results">
        <Confusion />
        <Mistakes />
      </div>
      <div class="inside">
        <Pictures />
      </div>
    </Section>
  );
}
