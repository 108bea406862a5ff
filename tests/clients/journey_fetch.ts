// From a file to a prediction with openapi-fetch on the types that openapi-typescript makes: node journey_fetch.js URL KEY FILE.

import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { setTimeout } from "node:timers/promises";
import createClient from "openapi-fetch";
import type { paths } from "./schema.js";

const [url, key, path] = process.argv.slice(2) as [string, string, string];
const vidro = createClient<paths>({ baseUrl: url, headers: { Authorization: `Bearer ${key}` } });

/** The data of an answer. Throws the problem of one that has none. */
async function of<Data>(answer: Promise<{ data?: Data; error?: unknown }>): Promise<Data> {
  const { data, error } = await answer;
  if (data === undefined) throw new Error(JSON.stringify(error));
  return data;
}

const form = new FormData();
form.append("file", new File([await readFile(path)], basename(path)));
form.append("name", "flowers");
const dataset = await of(
  vidro.POST("/v1/datasets", { body: { file: [] }, bodySerializer: () => form }),
);
const made = await of(
  vidro.POST("/v1/jobs", {
    body: {
      dataset_id: dataset.id,
      target: "species",
      model: { kind: "mlp", hidden: [16, 8] },
      optimizer: "adam",
      epochs: 30,
    },
  }),
);
if (!("id" in made)) throw new Error("the job was only validated");
const params = { path: { job_id: made.id } };
let job = await of(vidro.GET("/v1/jobs/{job_id}", { params }));
for (const deadline = Date.now() + 60_000; !job.done && Date.now() < deadline; ) {
  await setTimeout(50);
  job = await of(vidro.GET("/v1/jobs/{job_id}", { params }));
}
const curves = await of(
  vidro.GET("/v1/jobs/{job_id}/curves", { params: { ...params, query: { series: "train_loss" } } }),
);
const weights = await of(vidro.GET("/v1/jobs/{job_id}/weights", { params }));
if (typeof curves === "string" || typeof weights === "string") throw new Error("JSON was wanted");
const row = { sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 };
const model = { path: { model_id: job.model_id ?? "" } };
const predicted = await of(vidro.POST("/v1/models/{model_id}/predict", { params: model, body: { records: [row] } }));
const trace = await of(vidro.POST("/v1/traces", { body: { job_id: job.id, epoch: 0 } }));
const check = await of(vidro.POST("/v1/gradient_checks", { body: { job_id: job.id, epoch: 0, parameters: 5 } }));

console.log(
  JSON.stringify({
    name: dataset.name,
    state: job.state,
    points: curves.series["train_loss"]?.step.length,
    shapes: weights.layers.map((layer) => [layer.weights.length, layer.weights[0]?.length]),
    predictions: predicted.predictions,
    steps: trace.steps.length,
    slopes: check.slopes.length,
  }),
);
