/** A token of WGSL text, and the blanks before it. */
export interface Token {
  readonly text: string;
  /** Blanks and ends of lines, without comments. */
  readonly gap: string;
}

/** The comment before a loop that `specialize` writes out. It is the only one that is a token. */
export const UNROLL = "// unroll";

/**
 * A blank or comment, or a token: the mark of a loop, a number, a name, a sign. `>>` is two signs, since it may end two templates.
 */
const LEXEME =
  /(\s+|\/\*[\s\S]*?\*\/|\/\/(?! unroll\s*$).*)|\/\/ unroll|0[xX][\w.]+|\.?\d(?:[eE][+-]|[\w.])*|[\p{L}_][\p{L}\p{N}_]*|->|\+\+|--|&&|\|\||<<|[-+*/%&|^!=<>]=|./gmu;

/** Tokens of WGSL text, in order. */
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

/** The text that has these tokens. */
export function textOf(tokens: readonly Token[]): string {
  return tokens.map(({ gap, text }) => gap + text).join("");
}
