/** Columns as wide as their widest cell; names to the left, figures to the right. `markdown`: as a Markdown table. */
export function table(
  header: readonly string[],
  rows: readonly (readonly (string | number)[])[],
  markdown = false,
): string[] {
  const all = [header, ...rows].map((row) => row.map(String));
  const right = header.map((_, column) => rows.length > 0 && rows.every((row) => isFigure(row[column] ?? "")));
  const widths = header.map((_, column) => Math.max(3, ...all.map((row) => row[column]!.length)));
  const lines = all.map((row) =>
    row.map((cell, i) => (right[i] ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!))),
  );
  if (!markdown) return lines.map((cells) => cells.join("  ").trimEnd());
  const rule = widths.map((width, i) => "-".repeat(right[i] ? width - 1 : width) + (right[i] ? ":" : ""));
  const [head, ...body] = lines;
  return [head!, rule, ...body].map((cells) => `| ${cells.join(" | ")} |`);
}

/** A number, perhaps with a unit's sign or a range behind it, or nothing to show. */
function isFigure(cell: string | number): boolean {
  return typeof cell === "number" || cell === "" || /^[-+]?(\d[\d.,]*.{0,24})?$/.test(cell);
}
