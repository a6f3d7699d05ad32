import { useSignal } from "@preact/signals";
import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import type { LayerView } from "../../engine/reader.ts";
import { columnsOf } from "../../ui/columns.ts";
import { rangeOf } from "../../ui/palette.ts";
import { onResize } from "../../ui/resize.ts";
import { Thumbnail } from "../../ui/thumbnail.tsx";
import { channelOf } from "./geometry.ts";

interface MapStripProps {
  readonly view: LayerView;
  /** The map that is looked at more closely, if it is one of these. */
  readonly selected: number | undefined;
  readonly onSelect: (map: number) => void;
}

/** The least width of a map and the gap beside it, in CSS pixels. */
const TILE = 36;

const STEPS: Record<string, number> = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

/** All feature maps of a layer, small, coloured on one scale. Arrow keys go from one to the next. */
export function MapStrip({ view, selected, onSelect }: MapStripProps) {
  const [height, width, channels] = view.shape as [number, number, number];
  const range = useMemo(() => rangeOf(view.data), [view.data]);
  const maps = useMemo(
    () => Array.from({ length: channels }, (_, map) => channelOf(view.data, channels, map)),
    [view.data, channels],
  );
  const group = useRef<HTMLFieldSetElement>(null);
  const columns = useSignal(8);
  useLayoutEffect(() => {
    const fit = () => {
      columns.value = columnsOf(channels, group.current!.clientWidth / TILE);
    };
    fit();
    return onResize(group.current!, fit);
  }, [channels]);
  const keyed = (event: KeyboardEvent) => {
    const step = STEPS[event.key];
    if (!step) return;
    event.preventDefault();
    const next = ((selected ?? 0) + step + channels) % channels;
    onSelect(next);
    group.current!.querySelectorAll("button")[next]!.focus();
  };
  return (
    <fieldset
      ref={group}
      class="strip"
      style={{ "--columns": columns.value }}
      aria-label={`Feature maps of ${view.name}`}
      onKeyDown={keyed}
    >
      {maps.map((values, map) => (
        <button
          key={map}
          type="button"
          aria-pressed={map === selected}
          aria-label={`Map ${map + 1} of ${channels}`}
          tabIndex={map === (selected ?? 0) ? 0 : -1}
          onClick={() => onSelect(map)}
        >
          <Thumbnail values={values} rows={height} columns={width} range={range} palette="map" />
        </button>
      ))}
    </fieldset>
  );
}
