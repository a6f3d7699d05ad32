import elementarySource from "../../../shaders/activation/lib/elementary.wgsl";
import cosineSource from "../../../shaders/updates/lib/cosine_decay.wgsl";
import restartsSource from "../../../shaders/updates/lib/cosine_decay_restarts.wgsl";
import exponentialSource from "../../../shaders/updates/lib/exponential_decay.wgsl";
import halfCosineSource from "../../../shaders/updates/lib/half_cosine.wgsl";
import inverseTimeSource from "../../../shaders/updates/lib/inverse_time_decay.wgsl";
import lastPieceSource from "../../../shaders/updates/lib/last_piece.wgsl";
import pieceSource from "../../../shaders/updates/lib/piece.wgsl";
import polynomialSource from "../../../shaders/updates/lib/polynomial_decay.wgsl";
import powerSource from "../../../shaders/updates/lib/power.wgsl";
import type { Source } from "../../wgsl/specialize.ts";

// Library files of the op `schedule`, for each schedule.
export const exponentialSources: readonly Source[] = [exponentialSource, powerSource, elementarySource];
export const inverseTimeSources: readonly Source[] = [inverseTimeSource];
export const polynomialSources: readonly Source[] = [polynomialSource, powerSource, elementarySource];
export const cosineSources: readonly Source[] = [cosineSource, halfCosineSource];
export const restartsSources: readonly Source[] = [restartsSource, halfCosineSource, powerSource, elementarySource];

/** Library files of constant rates, each up to a boundary and the last one from there on. */
export function piecewiseSources(boundaries: readonly number[], rates: readonly number[]): readonly Source[] {
  const named = (i: number) => (i === 0 ? "rate_at" : `piece_${i}`);
  return rates.map((rate, i) => {
    const rename = { rate_at: named(i), rest_at: named(i + 1), RATE: `RATE_${i}`, BOUNDARY: `BOUNDARY_${i}` };
    if (i === boundaries.length) return { ...lastPieceSource, rename, given: { [`RATE_${i}`]: rate } };
    return { ...pieceSource, rename, given: { [`RATE_${i}`]: rate, [`BOUNDARY_${i}`]: boundaries[i]! } };
  });
}
