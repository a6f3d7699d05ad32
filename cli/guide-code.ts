// Programs that a page of docs/guide shows, read out of its Markdown.

/** Program of a page: its `ts` blocks in order, but for those that are a file of their own. */
export const MAIN = "page.ts";

/** Fenced blocks of a language, in order. */
export function codeBlocks(markdown: string, language: string): string[] {
  return [...markdown.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)]
    .filter(([, named]) => named === language)
    .map(([, , code]) => code!);
}

/**
 * Programs of a page by file name. A `ts` block that begins with `// name.ts` is that file; all others together are the page's own
 * program, `page.ts`.
 */
export function programsOf(markdown: string): Map<string, string> {
  const files = new Map<string, string>();
  for (const code of codeBlocks(markdown, "ts")) {
    const name = /^\/\/ ([\w-]+\.ts)$/m.exec(code.split("\n", 1)[0]!)?.[1] ?? MAIN;
    files.set(name, (files.get(name) ?? "") + code);
  }
  return files;
}

/** What a page says that its program prints: the comments behind `console.log(...);`, in order. */
export function printedBy(markdown: string): string[] {
  return codeBlocks(markdown, "ts").flatMap((code) =>
    [...code.matchAll(/^\s*console\.log\(.*\); \/\/ (.*)$/gm)].map(([, text]) => text!),
  );
}
