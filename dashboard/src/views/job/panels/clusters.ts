/** A clustering as groups of points and marks of centroids: what the API answers, made ready to draw. */
import type { Schema } from "~/api/client";
import type { Group, Mark } from "~/charts/Scatter";
import { toNumber } from "~/text/format";

type Clusters = Schema["ClustersResource"];

/** Rows by cluster, and the centroids. Where the rows lie on a line, clusters stand one above the other. */
export function drawn({ x, y, rows, clusters }: Clusters, words: { cluster: (cluster: number) => string; row: (row: number) => string }): { groups: Group[]; marks: Mark[] } {
  const groups = x.centroids.map((_, cluster): Group & { notes: string[] } => ({ name: words.cluster(cluster), x: [], y: [], notes: [] }));
  clusters.forEach((cluster, place) => {
    const group = groups[cluster] as Group & { notes: string[] };
    group.x.push(toNumber(x.rows[place]));
    group.y.push(y ? toNumber(y.rows[place]) : cluster);
    group.notes.push(words.row(rows[place] as number));
  });
  const marks = x.centroids.map((value, cluster) => ({ name: String(cluster), x: toNumber(value), y: y ? toNumber(y.centroids[cluster]) : cluster }));
  return { groups, marks };
}

/** Numbers a row, each column's rounding errors as the 0 that they stand for: what is less than a trillionth of its largest number. */
export function cleaned(rows: number[][]): number[][] {
  const largest = (rows[0] ?? []).map((_, place) => rows.reduce((most, row) => Math.max(most, Math.abs(row[place] as number) || 0), 0));
  return rows.map((row) => row.map((value, place) => (Math.abs(value) < 1e-12 * (largest[place] as number) ? 0 : value)));
}

/** The numbers of the clusters in a grid of predictions, from 0 to the greatest that it holds. */
export function clustersIn(predictions: unknown[]): string[] {
  const most = (predictions.flat() as number[]).reduce((most, cluster) => Math.max(most, cluster), 0);
  return Array.from({ length: most + 1 }, (_, cluster) => String(cluster));
}

/** Labels in the order of their counts, which an object does not keep where they are whole numbers. */
export const labelsOf = (labels: Record<string, number> | null): [string, number][] => Object.entries(labels ?? {}).sort(([, one], [, other]) => other - one);
