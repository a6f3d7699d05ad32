import { useSignal } from "@preact/signals";
import { useEffect, useId } from "preact/hooks";
import { engineStatus } from "../../state/engine.ts";
import { megabytes } from "../../ui/numbers.ts";
import { Section } from "../../ui/section.tsx";
import type { KeptNetwork } from "./kept.ts";
import { done, download, keepAs, kept, listKept, open, openFile, remove } from "./state.ts";

export function Keep() {
  useEffect(() => void listKept(), []);
  return (
    <Section
      id="keep"
      title="Keep it"
      intro={
        <p>
          Keep the network with all it has learned: in this browser, or as a file. The file is in the safetensors
          format, a plain list of named numbers that Python reads too. A link to its architecture is in{" "}
          <a href="#network">The network</a>.
        </p>
      }
    >
      <div class="keep sheet">
        <KeepAs />
        <Files />
        <p class="keep-done" id="keep-done" role="status">
          {done.value}
        </p>
        <KeptList />
      </div>
    </Section>
  );
}

function KeepAs() {
  const id = useId();
  const name = useSignal("my network");
  const ready = engineStatus.value.kind === "ready";
  return (
    <form
      class="knobs"
      onSubmit={(event) => {
        event.preventDefault();
        void keepAs(name.value.trim());
      }}
    >
      <div class="knob">
        <label for={id}>Name</label>
        <input
          id={id}
          type="text"
          required
          maxLength={40}
          pattern=".*\S.*"
          value={name.value}
          onInput={(event) => {
            name.value = event.currentTarget.value;
          }}
        />
      </div>
      <button type="submit" disabled={!ready}>
        Keep in this browser
      </button>
    </form>
  );
}

function Files() {
  const ready = engineStatus.value.kind === "ready";
  return (
    <div class="knobs">
      <button type="button" class="quiet" disabled={!ready} onClick={() => void download()}>
        Download the network
      </button>
      <label class="knob">
        <span>Open a file</span>
        <input
          type="file"
          accept=".safetensors"
          disabled={!ready}
          onChange={(event) => {
            const input = event.currentTarget;
            const [file] = input.files ?? [];
            if (file)
              void openFile(file).then(() => {
                input.value = "";
              });
          }}
        />
      </label>
    </div>
  );
}

function factsOf({ saved, file }: KeptNetwork): string {
  return `${new Date(saved).toLocaleString()}, ${megabytes(file.byteLength)} MB`;
}

function KeptList() {
  if (kept.value.length === 0) return <p class="keep-empty">Nothing is kept in this browser yet.</p>;
  return (
    <ul class="kept">
      {kept.value.map((entry, i) => (
        <li key={i}>
          <span class="kept-name">
            <b>{entry.name}</b> {"network" in entry ? factsOf(entry.network) : `is damaged. ${entry.damage} Remove it.`}
          </span>
          {"network" in entry && (
            <button
              type="button"
              class="quiet"
              aria-label={`Open ${entry.name}`}
              onClick={() => void open(entry.network)}
            >
              Open
            </button>
          )}
          <button type="button" class="quiet" aria-label={`Remove ${entry.name}`} onClick={() => void remove(entry)}>
            Remove
          </button>
        </li>
      ))}
    </ul>
  );
}
