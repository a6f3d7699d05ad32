/** Token of WGSL text, and the blanks before it. */
export interface Token {
  readonly text: string;
  /** Blanks and ends of lines, without comments. */
  readonly gap: string;
}

/** Comment before a loop that `specialize` unrolls. It is the only comment that is a token. */
export const UNROLL = "// unroll";

/**
 * Pattern of a blank, a comment or a token: the mark of a loop, a number, a name, a sign. `>>` is two signs, since it may end two
 * templates.
 */
const LEXEME =
  /(\s+|\/\*[\s\S]*?\*\/|\/\/(?! unroll\s*$).*)|\/\/ unroll|0[xX][\w.]+|\.?\d(?:[eE][+-]|[\w.])*|[\p{L}_][\p{L}\p{N}_]*|->|\+\+|--|&&|\|\||<<|[-+*/%&|^!=<>]=|./gmu;

/** Splits WGSL text into its tokens. */
export function tokensOf(code: string): readonly Token[] {
  const tokens: Token[] = [];
  let gap = "";
  for (const [text, blank] of code.matchAll(LEXEME)) {
    if (blank === undefined) {
      tokens.push({ text, gap });
      gap = "";
    } else if (!/^\/[/*]/.test(text)) gap += text;
  }
  return tokens;
}

/** Joins tokens to their text. */
export function textOf(tokens: readonly Token[]): string {
  return tokens.map(({ gap, text }) => gap + text).join("");
}
