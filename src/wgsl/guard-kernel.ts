import { closing, indexOf, moduleOf, moduleText } from "./module.ts";
import { tokensOf } from "./tokens.ts";

/** Makes a kernel whose invocations return at once unless a condition holds, which must be the same for all of a workgroup. */
export function guarded(code: string, condition: string): string {
  const guard = tokensOf(`\n  if (!(${condition})) {\n    return;\n  }`);
  return moduleText(
    moduleOf(code).map((it) => {
      if (!it.attributes.has("compute")) return it;
      const parameters = indexOf(it.tokens, "(", indexOf(it.tokens, "fn", 0));
      const body = indexOf(it.tokens, "{", closing(it.tokens, parameters)) + 1;
      return { ...it, tokens: [...it.tokens.slice(0, body), ...guard, ...it.tokens.slice(body)] };
    }),
  );
}
