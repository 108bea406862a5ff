// From a file to a prediction with the client that @hey-api/openapi-ts makes: node journey_hey_api.js URL KEY FILE.

import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { setTimeout } from "node:timers/promises";
import { client } from "./hey_api/client.gen.js";
import * as vidro from "./hey_api/sdk.gen.js";

const [url, key, path] = process.argv.slice(2) as [string, string, string];
client.setConfig({ baseUrl: url, auth: key });
const throwOnError = true;

const file = new File([await readFile(path)], basename(path));
const { data: dataset } = await vidro.createDataset({ body: { file: [file], name: "flowers" }, throwOnError });
const { data: made } = await vidro.createJob({
  body: {
    dataset_id: dataset.id,
    target: "species",
    model: { kind: "mlp", hidden: [16, 8] },
    optimizer: "adam",
    epochs: 30,
  },
  throwOnError,
});
if (!("id" in made)) throw new Error("the job was only validated");
const of = { path: { job_id: made.id }, throwOnError } as const;
let { data: job } = await vidro.getJob(of);
for (const deadline = Date.now() + 60_000; !job.done && Date.now() < deadline; ) {
  await setTimeout(50);
  job = (await vidro.getJob(of)).data;
}
const { data: curves } = await vidro.getCurves({ ...of, query: { series: "train_loss" } });
const { data: weights } = await vidro.getWeights(of);
if (typeof curves === "string" || !("layers" in weights)) throw new Error("JSON was wanted");
const row = { sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 };
const model = { model_id: job.model_id ?? "" };
const { data: predicted } = await vidro.predict({ path: model, body: { records: [row] }, throwOnError });
const { data: trace } = await vidro.traceSteps({ body: { job_id: job.id, epoch: 0 }, throwOnError });
const { data: check } = await vidro.checkGradients({ body: { job_id: job.id, epoch: 0, parameters: 5 }, throwOnError });

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
