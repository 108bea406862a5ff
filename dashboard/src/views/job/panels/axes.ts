/** Which features the axes of a plane stand for. */
import type { Schema } from "~/api/client";
import { toNumber } from "~/text/format";

/** The axes as the address names them, which may come from another panel: columns that the model reads, and two different ones. */
export function axesOf(features: string[], wantedX: string, wantedY: string): { x: string; y: string } {
  const x = features.includes(wantedX) ? wantedX : (features[0] ?? "");
  if (wantedY === "" || (features.includes(wantedY) && wantedY !== x)) return { x, y: wantedY };
  return { x, y: features.find((name) => name !== x) ?? "" };
}

/**
 * The two features along which the centroids lie furthest apart, as features are scaled, in their order; one where there is no
 * other. Where two features are whole columns, the parts of others (a category, a pixel) stand back: many rows lie on one spot there.
 */
export function widestOf({ features, scaled }: Schema["CentroidsResource"], columns: string[]): string[] {
  const spread = features.map((_, place) => {
    const values = scaled.map((centroid) => toNumber(centroid[place]));
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    return values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  });
  const all = features.map((_, place) => place);
  const whole = all.filter((place) => columns.includes(features[place] as string));
  const places = (whole.length > 1 ? whole : all).sort((one, other) => (spread[other] as number) - (spread[one] as number));
  return places.slice(0, 2).sort((one, other) => one - other).map((place) => features[place] as string);
}
