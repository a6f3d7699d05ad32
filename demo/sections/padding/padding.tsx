import { useComputed } from "@preact/signals";
import { windowAt } from "../../state/window-walk.ts";
import { Segments } from "../../ui/chips.tsx";
import { NumberKnob } from "../../ui/knobs.tsx";
import { MapRoom } from "../../ui/map-room.tsx";
import { type Mark, MarkedGrid } from "../../ui/marked-grid.tsx";
import { short } from "../../ui/numbers.ts";
import { UNIT_RANGE } from "../../ui/palette.ts";
import type { Frame } from "../../ui/pixel-grid.tsx";
import { Player } from "../../ui/player.tsx";
import { Section } from "../../ui/section.tsx";
import { Explanation } from "./explanation.tsx";
import { inputSize, kernelSize, late, map, padded, padding, sliding, stride, walk } from "./state.ts";

const PADDINGS = [
  { value: "valid", label: "None (valid)" },
  { value: "same", label: "Zeros (same)" },
] as const;

export function PaddingAndStride() {
  return (
    <Section
      id="padding"
      title="Padding and stride"
      intro={
        <p>
          How large is a feature map? That depends on how often the kernel fits. Zeros around the image, the padding,
          let it reach the border; steps longer than a pixel, the stride, leave places out. Here the kernel takes a
          plain mean, so that one can see the zeros darken the border.
        </p>
      }
    >
      <div class="sheet lab">
        <Knobs />
        <Player walk={walk} name="frame" />
        <div class="figures">
          <Input />
          <FeatureMap />
          <Explanation />
        </div>
      </div>
    </Section>
  );
}

function Knobs() {
  return (
    <div class="knobs">
      <Segments
        label="Padding"
        value={padding.value}
        options={PADDINGS}
        onChange={(value) => {
          padding.value = value;
        }}
      />
      <NumberKnob
        label="Input size n"
        value={inputSize.value}
        min={5}
        max={28}
        slider
        onChange={(value) => {
          inputSize.value = value;
        }}
      />
      <NumberKnob
        label="Kernel size k"
        value={kernelSize.value}
        min={1}
        max={7}
        slider
        onChange={(value) => {
          kernelSize.value = value;
        }}
      />
      <NumberKnob
        label="Stride s"
        value={stride.value}
        min={1}
        max={4}
        slider
        onChange={(value) => {
          stride.value = value;
        }}
      />
    </div>
  );
}

function Input() {
  const { n, before, after, places } = sliding.value;
  const cells = useComputed(() => cellsOf(sliding.value));
  const dots = useComputed(() => dotsOf(sliding.value));
  return (
    <figure id="padding-input" data-rows={n} data-before={before} data-after={after}>
      <figcaption>
        Input: {n} × {n}
        {before + after > 0 && `, with zeros ${n + before + after} × ${n + before + after}`}
      </figcaption>
      <MarkedGrid
        {...padded.value}
        label="Input with its padding, and the kernel's frame on it"
        palette="input"
        range={UNIT_RANGE}
        numbers
        frame={places > 0 ? walk.frame.value : undefined}
        marks={cells.value.marks}
        dimmed={cells.value.never}
        dots={dots.value}
        onCell={(cell) => walk.overInput(cell)}
      />
      <p class="answers">Each dot is the middle of one place of the kernel. Dashed cells are padding.</p>
    </figure>
  );
}

/** Those of the padding, marked, and those that the kernel never reaches. */
function cellsOf({ n, before, after, unreached }: ReturnType<typeof sliding.peek>) {
  const side = before + n + after;
  const zeros: number[] = [];
  const never: number[] = [];
  for (let cell = 0; cell < side * side; cell++) {
    const [row, column] = [Math.floor(cell / side), cell % side];
    if (Math.min(row, column) < before || Math.max(row, column) >= before + n) zeros.push(cell);
    if (Math.max(row, column) >= side - unreached) never.push(cell);
  }
  const marks: readonly Mark[] = [{ kind: "padding", cells: zeros }];
  return { marks, never };
}

function dotsOf({ places, k: size, s }: ReturnType<typeof sliding.peek>): readonly Frame[] {
  const count = Math.max(0, places);
  const all = { rows: count, columns: count, size, stride: s };
  return Array.from({ length: count * count }, (_, i) =>
    windowAt({ row: Math.floor(i / count), column: i % count }, all),
  );
}

function FeatureMap() {
  const answer = map.value;
  const found = answer?.value;
  const side = found?.rows ?? Math.max(1, sliding.value.places);
  const { row, column } = walk.cell.value;
  const cell = late.value ? undefined : found?.values[row * side + column];
  return (
    <figure id="padding-map" data-rows={found?.rows} data-columns={found?.columns}>
      <figcaption>Feature map: {found ? `${found.rows} × ${found.columns}` : "none"}</figcaption>
      <MapRoom rows={side} columns={side} error={answer?.error} late={late.value}>
        {found && (
          <MarkedGrid
            {...found}
            label="Feature map, with the kernel's place on it"
            palette="map"
            range={UNIT_RANGE}
            numbers
            shown={late.value ? side * side : walk.visited.value}
            frame={late.value ? undefined : walk.mapFrame.value}
            onCell={(at) => walk.overMap(at)}
          />
        )}
      </MapRoom>
      <p class="answers">
        {cell !== undefined && (
          <>
            Row {row + 1}, column {column + 1}:{" "}
            <output id="padding-cell" data-row={row} data-column={column} data-value={cell} aria-live="off">
              {short(cell, 3)}
            </output>
          </>
        )}
      </p>
    </figure>
  );
}
