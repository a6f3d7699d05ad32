import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { asMnist } from "../../ui/as-mnist.ts";
import { Camera } from "../../ui/camera.tsx";
import { Segments } from "../../ui/chips.tsx";
import { DrawingPad } from "../../ui/drawing-pad.tsx";
import { UNIT_RANGE } from "../../ui/palette.ts";
import { Thumbnail } from "../../ui/thumbnail.tsx";
import { Files } from "./files.tsx";
import { shown } from "./state.ts";

const SOURCES = [
  { value: "draw", label: "Draw" },
  { value: "files", label: "Image files" },
  { value: "camera", label: "Camera" },
] as const;

type SourceKind = (typeof SOURCES)[number]["value"];

/** Where images come from. `taken` counts those that were added: each empties the pad. */
export function Source({ taken }: { taken: number }) {
  const kind = useSignal<SourceKind>("draw");
  useEffect(() => {
    shown.value = undefined;
  }, [kind.value]);
  return (
    <div class="source">
      <Segments
        label="Images from"
        value={kind.value}
        options={SOURCES}
        onChange={(value) => {
          kind.value = value;
        }}
      />
      {kind.value === "draw" && (
        <DrawingPad
          key={taken}
          label="Draw an example of a class"
          onInk={(ink) => {
            shown.value = ink && asMnist(ink);
          }}
        />
      )}
      {kind.value === "camera" && (
        <>
          <Camera
            onImage={({ values }) => {
              shown.value = values;
            }}
          />
          <div class="preview">
            {shown.value && <Thumbnail values={shown.value} range={UNIT_RANGE} palette="plain" />}
          </div>
        </>
      )}
      {kind.value === "files" && <Files />}
    </div>
  );
}
