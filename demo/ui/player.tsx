import type { Speed, Walk } from "../state/walk.ts";
import { Segments } from "./chips.tsx";

const SPEEDS = [
  { value: "slow", label: "Slow" },
  { value: "medium", label: "Medium" },
  { value: "fast", label: "Fast" },
] as const satisfies readonly { value: Speed; label: string }[];

/** Play, pause, step and speed of a walk. `name` says what walks: "kernel", "window". */
export function Player({ walk, name }: { walk: Walk; name: string }) {
  const playing = walk.playing.value;
  const none = walk.count.value === 0;
  return (
    <div class="knobs player">
      <div class="player-buttons">
        <button type="button" disabled={none} onClick={() => (playing ? walk.pause() : walk.play())}>
          {playing ? "Pause" : "Play"}
          <span class="unseen"> the {name}</span>
        </button>
        <button type="button" class="quiet" disabled={none} onClick={() => walk.step()}>
          Step<span class="unseen"> the {name}</span>
        </button>
      </div>
      <Segments
        label={`Speed of the ${name}`}
        value={walk.speed.value}
        options={SPEEDS}
        onChange={(speed) => walk.setSpeed(speed)}
      />
      <p class="player-place">
        Place {none ? 0 : walk.at.value + 1} of {walk.count.value}
      </p>
    </div>
  );
}
