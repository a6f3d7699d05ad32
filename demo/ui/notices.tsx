import { type Notice, notices, withdraw } from "../state/notices.ts";

/** Messages, each with what to do and a way to put it aside. Problems are read aloud at once. */
export function Notices({ about }: { about: NonNullable<Notice["about"]> }) {
  const those = notices.value.filter((notice) => (notice.about ?? "here") === about);
  return (
    <div class={`notices ${about}`}>
      {those.map(({ topic, kind, title, text, action }) => (
        <div key={topic} class={`message ${kind}`} data-topic={topic} role={kind === "problem" ? "alert" : "status"}>
          <strong>{title}</strong>
          {text && <p>{text}</p>}
          <p class="buttons">
            {action && (
              <button type="button" onClick={() => action.run()}>
                {action.label}
              </button>
            )}
            <button type="button" class="quiet" onClick={() => withdraw(topic)}>
              Dismiss
            </button>
          </p>
        </div>
      ))}
    </div>
  );
}
