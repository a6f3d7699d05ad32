/** An error's own words, whatever was thrown and wherever: in the worker, or in another realm. */
export function wordsOf(error: unknown): string {
  const { message } = Object(error) as { message?: unknown };
  if (typeof message === "string" && message !== "") return message;
  return typeof error === "object" ? "The error has no words." : String(error);
}
