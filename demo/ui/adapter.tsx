import { engineStatus } from "../state/engine.ts";

/** One line on what runs the shaders. */
export function Adapter() {
  const status = engineStatus.value;
  return (
    <p class="adapter" data-adapter={status.kind} role="status">
      {status.kind === "starting" && "Looking for a GPU …"}
      {status.kind === "unsupported" && "No WebGPU: sections that compute stay empty."}
      {status.kind === "ready" && (
        <>
          Computes on <b>{status.adapter.label}</b>
        </>
      )}
    </p>
  );
}
