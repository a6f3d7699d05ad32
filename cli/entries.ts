// Entries of the package, out of `exports` of package.json, so that builds, tests and the guide's programs all know the same ones.

import { readFileSync } from "node:fs";

export interface Entry {
  /** What an app imports: `featuremap`, or what is not of every app under it. */
  readonly name: string;
  /** Name of the script in `dist`, without its ending. */
  readonly script: string;
  /** Path of the source from the repository's root. */
  readonly source: string;
}

const PACKAGE = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
  readonly name: string;
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>;
};

export const ENTRIES: readonly Entry[] = Object.entries(PACKAGE.exports).flatMap(([path, to]): Entry[] => {
  if (typeof to === "string") return [];
  return [
    {
      name: PACKAGE.name + path.slice(1),
      script: to.default.replace(/^\.\/dist\/(.*)\.js$/, "$1"),
      source: to.types.replace(/^\.\/dist\/types\/(.*)\.d\.ts$/, "src/$1.ts"),
    },
  ];
});
