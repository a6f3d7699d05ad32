// Just enough of Python and TypeScript to tell strings, numbers, keywords and comments from the rest.

export type TokenKind = "plain" | "comment" | "string" | "number" | "keyword";

export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
}

const KINDS = ["comment", "string", "number", "keyword"] as const;
const WORDS = "import|from|as|const|await|async|function|return|None|True|False|true|false";
const PATTERN = new RegExp(`((?://|#).*)|("[^"\\n]*"|\`[^\`]*\`)|(\\b\\d+(?:\\.\\d+)?\\b)|(\\b(?:${WORDS})\\b)`, "g");

/** The code in pieces; their texts in a row are the code. */
export function highlight(code: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  for (const match of code.matchAll(PATTERN)) {
    if (match.index > at) tokens.push({ kind: "plain", text: code.slice(at, match.index) });
    const kind = KINDS[match.slice(1).findIndex((group) => group !== undefined)]!;
    tokens.push({ kind, text: match[0] });
    at = match.index + match[0].length;
  }
  if (at < code.length) tokens.push({ kind: "plain", text: code.slice(at) });
  return tokens;
}
