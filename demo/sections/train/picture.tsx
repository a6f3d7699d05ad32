import { useSignal } from "@preact/signals";
import { transfer } from "comlink";
import { useEffect, useRef } from "preact/hooks";
import type { PictureFacts } from "../../engine/pictures.ts";
import { engine } from "../../state/engine.ts";
import { presets } from "../../state/presets.ts";
import { columnsOf } from "../../ui/columns.ts";
import { endsOf } from "../../ui/palette.ts";
import { onResize } from "../../ui/resize.ts";
import { scheme } from "../../ui/scheme.ts";

/** The least width of a tile and the gap beside it, in CSS pixels. */
const TILE = 36;
const GAP = 3;

let made = 0;

/** A canvas that the engine draws on, straight from the GPU's buffers. */
export function Picture({ facts }: { readonly facts: PictureFacts }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const across = useSignal(8);
  const visible = useSignal(false);
  const id = useRef(0);
  const drawn = scheme.value;

  useEffect(() => {
    const element = canvas.current!;
    made++;
    id.current = made;
    const offscreen = element.transferControlToOffscreen();
    void engine.addPicture(id.current, facts, transfer(offscreen, [offscreen]), presets.way);
    const sizes = onResize(element, () => {
      across.value = columnsOf(facts.tiles, element.clientWidth / TILE);
      place(id.current, element, facts, across.value, visible.value);
    });
    const sight = new IntersectionObserver(([entry]) => {
      visible.value = entry!.isIntersecting;
    });
    sight.observe(element);
    return () => {
      sizes();
      sight.disconnect();
      void engine.removePicture(id.current);
    };
  }, []);
  useEffect(() => {
    place(id.current, canvas.current!, facts, across.value, visible.value);
  }, [visible.value, across.value, drawn]);

  const { tiles, rows, columns, kind, layer } = facts;
  const down = Math.ceil(tiles / across.value);
  return (
    <canvas
      ref={canvas}
      class="picture"
      style={{ aspectRatio: `${across.value * columns} / ${down * rows}` }}
      role="img"
      aria-label={`${kind === "kernels" ? "Kernels" : "Feature maps"} of ${layer}: ${tiles} squares, drawn as they are now.`}
    />
  );
}

function place(id: number, element: HTMLCanvasElement, { kind }: PictureFacts, across: number, visible: boolean): void {
  const placing = {
    width: Math.max(1, Math.round(element.clientWidth * devicePixelRatio)),
    height: Math.max(1, Math.round(element.clientHeight * devicePixelRatio)),
    across,
    gap: Math.round(GAP * devicePixelRatio),
    colors: endsOf(kind === "kernels" ? "kernel" : "map", element),
  };
  void engine.placePicture(id, placing, visible);
}
