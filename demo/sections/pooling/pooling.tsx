import { useComputed } from "@preact/signals";
import { Segments } from "../../ui/chips.tsx";
import { DigitPicker } from "../../ui/digit-picker.tsx";
import { NumberKnob } from "../../ui/knobs.tsx";
import { MapRoom } from "../../ui/map-room.tsx";
import { type Mark, MarkedGrid } from "../../ui/marked-grid.tsx";
import { PixelGrid } from "../../ui/pixel-grid.tsx";
import { Player } from "../../ui/player.tsx";
import { Section } from "../../ui/section.tsx";
import { Result } from "./result.tsx";
import { digit, featureMap, input, kept, kind, late, pooled, size, source, stride, walk } from "./state.ts";

const KINDS = [
  { value: "max", label: "Max" },
  { value: "average", label: "Average" },
] as const;

const SOURCES = [
  { value: "numbers", label: "Numbers" },
  { value: "map", label: "Feature map" },
] as const;

export function Pooling() {
  return (
    <Section
      id="pooling"
      title="Pooling"
      intro={
        <p>
          A feature map says more than is needed: that there is an edge matters, to the pixel where it is does not.
          Pooling makes the map smaller. Of each window it keeps the greatest number, or their mean, and nothing else.
        </p>
      }
    >
      <div class="sheet lab">
        <Knobs />
        <Player walk={walk} name="window" />
        <div class="figures">
          <Input />
          <Output />
          <Result />
        </div>
      </div>
    </Section>
  );
}

function Knobs() {
  return (
    <div class="knobs">
      <Segments
        label="Pooling"
        value={kind.value}
        options={KINDS}
        onChange={(value) => {
          kind.value = value;
        }}
      />
      <NumberKnob
        label="Window size"
        value={size.value}
        min={2}
        max={4}
        slider
        onChange={(value) => {
          size.value = value;
        }}
      />
      <NumberKnob
        label="Stride"
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
  return (
    <figure>
      <InputGrid />
      <div class="stack">
        <Segments
          label="What is pooled"
          value={source.value}
          options={SOURCES}
          onChange={(value) => {
            source.value = value;
          }}
        />
        {source.value === "map" && (
          <>
            <DigitPicker
              value={digit.value}
              onChange={(value) => {
                digit.value = value;
              }}
            />
            <p class="answers">The digit, convolved by the kernel that stands in the section on convolution.</p>
          </>
        )}
      </div>
    </figure>
  );
}

function InputGrid() {
  const image = input.value;
  const marks = useComputed((): readonly Mark[] => (kept.value ? [{ kind: "kept", cells: kept.value.cells }] : []));
  const side = image?.rows ?? 26;
  return (
    <>
      <figcaption>
        Input: {side} × {side}
      </figcaption>
      <MapRoom
        rows={side}
        columns={side}
        error={source.value === "map" ? featureMap.value?.error : undefined}
        late={false}
      >
        {image && (
          <MarkedGrid
            {...image}
            label="Input: what pooling keeps is outlined, with the window's frame on it"
            palette={source.value === "map" ? "map" : "plain"}
            numbers
            frame={walk.count.value > 0 ? walk.frame.value : undefined}
            marks={marks.value}
            dimmed={kept.value?.discarded}
            onCell={(cell) => walk.overInput(cell)}
          />
        )}
      </MapRoom>
    </>
  );
}

function Output() {
  const answer = pooled.value;
  const found = answer?.value;
  const side = found?.rows ?? 4;
  return (
    <figure id="pooling-map" data-rows={found?.rows} data-columns={found?.columns}>
      <figcaption>
        Pooled: {side} × {side}
      </figcaption>
      <MapRoom rows={side} columns={side} error={answer?.error} late={late.value}>
        {found && (
          <PixelGrid
            {...found}
            label="Pooled, with the window's place on it"
            palette={source.value === "map" ? "map" : "plain"}
            numbers
            shown={late.value ? side * side : walk.visited.value}
            frame={late.value ? undefined : walk.mapFrame.value}
            onCell={(cell) => walk.overMap(cell)}
          />
        )}
      </MapRoom>
    </figure>
  );
}
