/** What a curve or metric is called in the reader's language. */
export { seriesName as nameOf } from "~/text/series";
