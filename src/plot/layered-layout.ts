/** Box to be placed: its extent along a rank, and across it. */
export interface LayoutBox {
  readonly along: number;
  readonly across: number;
}

export interface LayoutEdge {
  readonly from: number;
  readonly to: number;
}

export interface Layout {
  /** Centre of each box. */
  readonly centres: readonly { readonly along: number; readonly across: number }[];
  /** Points of each edge between its two boxes: where it comes into each rank that it passes, and where it leaves it. */
  readonly bends: readonly (readonly { readonly along: number; readonly across: number }[])[];
  readonly along: number;
  readonly across: number;
}

/** Node of a layout: a box, or the place where an edge passes a rank. */
interface Place {
  readonly size: LayoutBox;
  readonly rank: number;
  readonly before: Place[];
  readonly after: Place[];
  /** Place in its rank, then its centre along the rank. */
  order: number;
  along: number;
}

const GAP = { along: 28, across: 44 };
const PASSAGE: LayoutBox = { along: 8, across: 0 };

/**
 * Lays boxes out in ranks, so that every edge goes from a rank to a later one (Sugiyama, Tagawa and Toda 1981). Edges that pass a rank get a
 * place in it. Within ranks the order follows the neighbours' places, and boxes then move toward their neighbours. Edges must go from
 * earlier boxes to later ones.
 */
export function layeredLayout(boxes: readonly LayoutBox[], edges: readonly LayoutEdge[]): Layout {
  const rankOf = boxes.map(() => 0);
  for (const { from, to } of [...edges].sort((a, b) => a.to - b.to || a.from - b.from))
    rankOf[to] = Math.max(rankOf[to]!, rankOf[from]! + 1);
  const ranks: Place[][] = [];
  const placeIn = (rank: number, size: LayoutBox): Place => {
    while (ranks.length <= rank) ranks.push([]);
    const row = ranks[rank]!;
    const place = { size, rank, before: [], after: [], order: row.length, along: 0 };
    row.push(place);
    return place;
  };
  const places = boxes.map((box, i) => placeIn(rankOf[i]!, box));
  const passages = edges.map(({ from, to }) => {
    const passed: Place[] = [];
    let last = places[from]!;
    const link = (next: Place) => {
      last.after.push(next);
      next.before.push(last);
      last = next;
    };
    for (let rank = rankOf[from]! + 1; rank < rankOf[to]!; rank++) {
      const passage = placeIn(rank, PASSAGE);
      link(passage);
      passed.push(passage);
    }
    link(places[to]!);
    return passed;
  });
  orderRanks(ranks);
  const along = alignRanks(ranks);
  const heights = ranks.map((row) => Math.max(...row.map(({ size }) => size.across)));
  const middles: number[] = [];
  let end = 0;
  for (const height of heights) {
    middles.push(end + height / 2);
    end += height + GAP.across;
  }
  const pointOf = ({ along, rank }: Place) => ({ along, across: middles[rank]! });
  return {
    centres: places.map(pointOf),
    bends: passages.map((passed) =>
      passed.flatMap((place) => {
        const { along, across } = pointOf(place);
        const half = heights[place.rank]! / 2;
        return [
          { along, across: across - half },
          { along, across: across + half },
        ];
      }),
    ),
    along,
    across: end - GAP.across,
  };
}

/** Orders each rank by the mean places of its neighbours, down and up a few times. */
function orderRanks(ranks: readonly Place[][]): void {
  for (let turn = 0; turn < 8; turn++) {
    const down = turn % 2 === 0;
    for (const row of down ? ranks : [...ranks].reverse()) {
      const wanted = new Map(
        row.map((place) => [place, mean(down ? place.before : place.after, (each) => each.order) ?? place.order]),
      );
      row.sort((a, b) => wanted.get(a)! - wanted.get(b)! || a.order - b.order);
      row.forEach((place, i) => {
        place.order = i;
      });
    }
  }
}

/** Moves places toward their neighbours, as far as those beside them allow. Returns the width of all. */
function alignRanks(ranks: readonly Place[][]): number {
  for (const row of ranks)
    spread(
      row,
      row.map(() => 0),
    );
  for (let turn = 0; turn < 16; turn++) {
    const down = turn % 2 === 0;
    for (const row of down ? ranks : [...ranks].reverse())
      spread(
        row,
        row.map((place) => mean(down ? place.before : place.after, ({ along }) => along) ?? place.along),
      );
  }
  const all = ranks.flat();
  const left = Math.min(...all.map(({ along, size }) => along - size.along / 2));
  for (const place of all) place.along -= left;
  return Math.max(...all.map(({ along, size }) => along + size.along / 2));
}

/**
 * Puts the places of a rank as near to where they want to be as their sizes allow, in their order: the least squares of the ways, by
 * pooling adjacent violators.
 */
function spread(row: readonly Place[], wanted: readonly number[]): void {
  let offset = 0;
  const offsets = row.map(({ size }, i) => {
    if (i > 0) offset += (row[i - 1]!.size.along + size.along) / 2 + GAP.along;
    return offset;
  });
  const blocks: { sum: number; count: number }[] = [];
  wanted.forEach((place, i) => {
    blocks.push({ sum: place - offsets[i]!, count: 1 });
    for (let last = blocks.at(-1)!, before = blocks.at(-2); before; last = before, before = blocks.at(-2)) {
      if (before.sum / before.count <= last.sum / last.count) break;
      before.sum += last.sum;
      before.count += last.count;
      blocks.pop();
    }
  });
  let i = 0;
  for (const { sum, count } of blocks) for (let k = 0; k < count; k++, i++) row[i]!.along = sum / count + offsets[i]!;
}

function mean(places: readonly Place[], of: (place: Place) => number): number | undefined {
  return places.length === 0 ? undefined : places.reduce((sum, place) => sum + of(place), 0) / places.length;
}
