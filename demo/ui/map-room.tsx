import type { ComponentChildren } from "preact";
import { engineStatus } from "../state/engine.ts";

interface MapRoomProps {
  readonly rows: number;
  readonly columns: number;
  /** What the engine refused, in its own words. */
  readonly error?: string | undefined;
  /** What is shown belongs to the question before. */
  readonly late: boolean;
  /** The map; nothing where there is none yet. */
  readonly children?: ComponentChildren;
}

/** Holds the place of what the engine computes, before it comes and where it does not. */
export function MapRoom({ rows, columns, error, late, children }: MapRoomProps) {
  if (error !== undefined) {
    return (
      <p class="map-room problem" role="alert">
        {error}
      </p>
    );
  }
  if (children) return <div class={late ? "map-place late" : "map-place"}>{children}</div>;
  return (
    <p class="map-room" style={{ aspectRatio: `${columns} / ${rows}` }}>
      {engineStatus.value.kind === "unsupported" ? "Needs WebGPU." : "Computing …"}
    </p>
  );
}
