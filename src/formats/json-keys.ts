/** Names in a JSON text that `JSON.parse` does not tell of. */
export interface JsonKeys {
  /** Names of the outermost object, in order. */
  readonly names: readonly string[];
  /** Names of the object under `within` in the outermost one, in order. */
  readonly inner: readonly string[];
  /** First name that an object has twice, wherever it is. */
  readonly twice: string | undefined;
}

/** Reads the names of a JSON text's objects in one pass. The text is taken as valid. */
export function jsonKeys(json: string, within: string): JsonKeys {
  /** Names so far of each open object; nothing for an open array. */
  const open: (Set<string> | undefined)[] = [];
  let outermost: Set<string> | undefined;
  let inner: Set<string> | undefined;
  /** Last name of the outermost object. */
  let last: string | undefined;
  let twice: string | undefined;
  for (let i = 0; i < json.length; i++) {
    const sign = json[i];
    if (sign === "{") {
      const names = new Set<string>();
      if (open.length === 1 && open[0] && last === within) inner = names;
      open.push(names);
      outermost ??= open[0];
    } else if (sign === "[") open.push(undefined);
    else if (sign === "}" || sign === "]") open.pop();
    else if (sign === '"') {
      const begin = i;
      i = stringEnd(json, begin);
      const names = open.at(-1);
      if (!names || !isName(json, i + 1)) continue;
      const name = JSON.parse(json.slice(begin, i + 1)) as string;
      if (names.has(name)) twice ??= name;
      names.add(name);
      if (open.length === 1) last = name;
    }
  }
  return { names: [...(outermost ?? [])], inner: [...(inner ?? [])], twice };
}

/** Place of the quote that ends a string. */
function stringEnd(json: string, begin: number): number {
  let end = begin + 1;
  while (json[end] !== '"') end += json[end] === "\\" ? 2 : 1;
  return end;
}

/** Tells whether a colon comes next. */
function isName(json: string, after: number): boolean {
  let at = after;
  while (/\s/.test(json[at] ?? "")) at++;
  return json[at] === ":";
}
