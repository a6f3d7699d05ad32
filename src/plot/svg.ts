/** Attributes of an SVG element. Those that are `undefined` are left out. */
export type SvgAttributes = Readonly<Record<string, string | number | undefined>>;

/** Escapes text for XML. Control characters and halves of characters, which XML cannot hold, become the replacement character. */
export function escaped(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cs}\ufffe\uffff]/gu, "\ufffd")
    .replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

/** Prints an element. `inside` is SVG text already. */
export function element(name: string, attributes: SvgAttributes, inside = ""): string {
  const text = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${typeof value === "number" ? rounded(value) : escaped(value!)}"`)
    .join("");
  return inside === "" ? `<${name}${text}/>` : `<${name}${text}>${inside}</${name}>`;
}

/** Prints a number with at most two decimals. */
export function rounded(value: number): string {
  return String(Math.round(value * 100) / 100);
}

/** Prints a text element of plain text. */
export function textElement(text: string, attributes: SvgAttributes): string {
  return element("text", attributes, escaped(text));
}

/** Font size of all text, in pixels. */
export const FONT = 12;

/** Estimates the width of a text at the font size, in pixels. It errs on the wide side. */
export function widthOf(text: string): number {
  let width = 0;
  for (const sign of text) width += signWidth(sign);
  return width;
}

function signWidth(sign: string): number {
  if (sign.codePointAt(0)! >= 0x1100) return 1.05 * FONT;
  if (/[mwMW@%—→]/.test(sign)) return 0.95 * FONT;
  if (/[A-Z_]/.test(sign)) return 0.7 * FONT;
  return (/[il.,:;|'! ()[\]]/.test(sign) ? 0.36 : 0.58) * FONT;
}

/** Cuts a text so that it fits a width, with an ellipsis. At least one character is left. */
export function fitted(text: string, width: number): string {
  const most = width - signWidth("…");
  let [all, kept] = [0, ""];
  for (const sign of text) {
    all += signWidth(sign);
    if (all <= most || kept === "") kept += sign;
    if (all > width) return `${kept}…`;
  }
  return text;
}

/** Colours of series. They stand out from light and from dark ground. A page may set others: `--plot-1` and so on. */
const COLOURS = ["#3b82f6", "#d97706", "#16a34a", "#a855f7", "#ef4444", "#0d9488"];

export function colour(index: number): string {
  const place = index % COLOURS.length;
  return `var(--plot-${place + 1}, ${COLOURS[place]})`;
}

/**
 * Prints an SVG document. Ink is `currentColor`: within a page it is the page's, in a file of its own it is dark, or light where the
 * reader prefers dark pages. The ground is left open.
 */
export function svgDocument(title: string, width: number, height: number, inside: string): string {
  const ink =
    "svg.featuremap-plot:root{color:#1f2328}@media (prefers-color-scheme:dark){svg.featuremap-plot:root{color:#e6edf3}}";
  return element(
    "svg",
    {
      xmlns: "http://www.w3.org/2000/svg",
      class: "featuremap-plot",
      role: "img",
      "aria-label": title,
      viewBox: `0 0 ${rounded(width)} ${rounded(height)}`,
      width,
      height,
      fill: "none",
      "font-family": "system-ui, sans-serif",
      "font-size": FONT,
    },
    `${element("title", {}, escaped(title))}${element("style", {}, ink)}${inside}`,
  );
}
