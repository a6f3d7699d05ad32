/** A failure the user can act on: one line on stderr and an exit status (1: it could not run; 2: wrong options). */
export class CliError extends Error {
  readonly exitCode: 1 | 2;

  constructor(exitCode: 1 | 2, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "CliError";
    this.exitCode = exitCode;
  }
}

/** What the commands print while they prepare: one line a call. */
export type Log = (line: string) => void;

/** The first line of an error's message, without Playwright's "page.evaluate: " before it and call log below it. */
export function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const line = text.split("\n").find((part) => part.trim() !== "");
  return (line ?? "unknown error").trim().replace(/^(browserType|browser|page)\.\w+: (Error: )?/, "");
}

/** Prints the error as one line (with its stack where FEATUREMAP_DEBUG is set) and returns the exit status. */
export function reportError(error: unknown, write: Log = console.error): number {
  write(
    process.env.FEATUREMAP_DEBUG && error instanceof Error
      ? `Error: ${debugText(error)}`
      : `Error: ${firstLine(error)}`,
  );
  return error instanceof CliError ? error.exitCode : 1;
}

function debugText(error: Error): string {
  const cause = error.cause instanceof Error ? `\nCaused by: ${error.cause.stack ?? error.cause.message}` : "";
  return `${error.stack ?? error.message}${cause}`;
}
