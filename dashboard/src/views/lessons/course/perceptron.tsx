/** The perceptron on moons that a line parts, and on moons that none parts. */
import { useState } from "preact/hooks";
import { api, body, type Schema } from "~/api/client";
import { Line } from "~/charts/Line";
import { Perceptron as Chart } from "~/charts/Perceptron";
import { Figure } from "~/elements/Figure";
import { Stepper } from "~/elements/Stepper";
import { integer, number, toNumber } from "~/text/format";
import { glassText } from "~/text/glass";
import type { Calls, Job } from "../calls";
import { lesson } from "../lesson";
import { plane, PlaneAndRows, table, type Plane, type Table } from "../planes";

type Updates = Schema["PerceptronUpdates"];

interface Moons {
  rows: Table;
  job: Job;
  found: Plane;
  updates: Updates;
}

interface Data {
  apart: Moons;
  together: Moons;
}

const ROWS = 300;
const EPOCHS = 30;
const [APART, TOGETHER] = [1, -4];
/** Updates that are shown, of the first ones. */
const MOST_UPDATES = 200;

export const perceptron = lesson<Data, Moons>({
  name: "perceptron",
  english: {
    title: "The perceptron on two moons",
    lead: "It learns by its mistakes, and rests only when there are none.",
    parts: {
      apart: {
        title: "Moons that a line parts",
        text: [
          "A perceptron answers with the sign of $w^\\top x$. It goes through the rows. Where a row is on the wrong side, it adds the row to its weights, or subtracts it:",
          "$$w \\leftarrow w + y\\,x, \\quad y = \\pm 1$$",
          "These two half moons of {rows} points have a gap of {apart}. After {apart_updates} updates no row is wrong, and nothing is left to learn. Rosenblatt's theorem says that it always ends so, if any line parts the classes.",
        ],
      },
      together: {
        title: "Moons that no line parts",
        text: [
          "Now the moons reach into each other: their gap is {together}. Some row is always wrong, so the weights never rest. In {epochs} passes over the rows there were {together_updates} updates.",
          "The last line may be a bad one. So the *pocket* keeps the best so far: a line goes into it when it makes fewer mistakes than any before. The picture shows the line of the pocket, with {pocket} of {rows} rows wrong.",
        ],
      },
      walk: {
        title: "Up and down",
        text: ["An update mends one row and may spoil others. So the mistakes rise and fall, and only those of the pocket never rise. The picture walks through the first {shown} updates: the row that was wrong, the line before it, and the line after. At the last of them the line made {last} mistakes, and the pocket's {last_pocket}."],
      },
    },
    picture: { apart: "A gap that is positive", together: "A gap that is negative", steps: "The first updates, one by one", walk: "Mistakes after each update", update: "update", mistakes: "of the line", pocket: "of the pocket", upper: "upper moon", lower: "lower moon", tried: "Your moons" },
    exercise: {
      ask: ["Find a gap of the moons at which the best line gets some row wrong, but fewer than {most} of {rows}."],
      hint: "At {together} there are {pocket} mistakes, and at {apart} none. Try between them, below zero.",
      fields: { distance: "Gap between the moons" },
      right: "The pocket's line makes {mistakes} mistakes.",
      wrong: { none: "There a line was found that makes no mistake. Push the moons closer together.", many: "There the pocket's line makes {mistakes} mistakes. Draw the moons a little apart." },
    },
  },
  portuguese: {
    title: "O perceptron em duas luas",
    lead: "Ele aprende com seus erros, e só descansa quando não há nenhum.",
    parts: {
      apart: {
        title: "Luas que uma reta separa",
        text: [
          "Um perceptron responde com o sinal de $w^\\top x$. Ele passa pelas linhas. Onde uma linha está do lado errado, ele a soma aos pesos, ou a subtrai:",
          "$$w \\leftarrow w + y\\,x, \\quad y = \\pm 1$$",
          "Estas duas meias-luas de {rows} pontos têm um vão de {apart}. Depois de {apart_updates} atualizações nenhuma linha está errada, e não há mais o que aprender. O teorema de Rosenblatt diz que sempre acaba assim, se alguma reta separa as classes.",
        ],
      },
      together: {
        title: "Luas que nenhuma reta separa",
        text: [
          "Agora as luas entram uma na outra: o vão é {together}. Alguma linha está sempre errada, e os pesos nunca descansam. Em {epochs} passagens pelas linhas houve {together_updates} atualizações.",
          "A última reta pode ser ruim. Por isso o *bolso* guarda a melhor até agora: uma reta entra nele quando erra menos que todas as anteriores. A figura mostra a reta do bolso, com {pocket} de {rows} linhas erradas.",
        ],
      },
      walk: {
        title: "Sobe e desce",
        text: ["Uma atualização conserta uma linha e pode estragar outras. Por isso os erros sobem e descem, e só os do bolso nunca sobem. A figura percorre as primeiras {shown} atualizações: a linha que estava errada, a reta de antes, e a reta de depois. Na última delas a reta cometia {last} erros, e a do bolso {last_pocket}."],
      },
    },
    picture: { apart: "Um vão positivo", together: "Um vão negativo", steps: "As primeiras atualizações, uma a uma", walk: "Erros depois de cada atualização", update: "atualização", mistakes: "da reta", pocket: "do bolso", upper: "lua de cima", lower: "lua de baixo", tried: "As suas luas" },
    exercise: {
      ask: ["Encontre um vão das luas com o qual a melhor reta erre alguma linha, mas menos de {most} de {rows}."],
      hint: "Com {together} há {pocket} erros, e com {apart} nenhum. Tente entre os dois, abaixo de zero.",
      fields: { distance: "Vão entre as luas" },
      right: "A reta do bolso comete {mistakes} erros.",
      wrong: { none: "Ali foi encontrada uma reta que não comete erro. Aproxime mais as luas.", many: "Ali a reta do bolso comete {mistakes} erros. Afaste um pouco as luas." },
    },
  },
  load: async (calls) => {
    const [apart, together] = await Promise.all([moons(calls, APART!), moons(calls, TOGETHER!)]);
    return { apart, together };
  },
  numbers: ({ apart, together }) => {
    const last = together.updates.items[together.updates.items.length - 1];
    return {
      rows: number(ROWS),
      epochs: number(together.job.progress.epoch),
      apart: number(APART),
      together: number(TOGETHER),
      apart_updates: number(apart.updates.total),
      together_updates: number(together.updates.total),
      pocket: number(pocketOf(together.job)),
      most: number(mostOf(together.job)),
      shown: number(together.updates.items.length),
      last: number(last?.mistakes),
      last_pocket: number(last?.pocket_mistakes),
    };
  },
  pictures: {
    apart: ({ data: { apart }, words }) => <PlaneAndRows title={words.apart!} found={apart.found} rows={apart.rows} target="moon" names={named(apart.found, words)} />,
    together: ({ data: { together }, words }) => <PlaneAndRows title={words.together!} found={together.found} rows={together.rows} target="moon" names={named(together.found, words)} />,
    walk: ({ data: { together }, words }) => <Walk moons={together} words={words} />,
  },
  exercise: {
    fields: () => [{ name: "distance", start: APART!, least: -10, most: 10 }],
    attempt: ({ distance }, _, calls) => moons(calls, Number(distance)),
    judge: (_, { together }, { job }) => {
      const mistakes = pocketOf(job);
      return { isRight: mistakes > 0 && mistakes < mostOf(together.job), why: mistakes === 0 ? "none" : "many", numbers: { mistakes: number(mistakes) } };
    },
    Outcome: ({ tried, words }) => <PlaneAndRows title={words.tried!} found={tried.found} rows={tried.rows} target="moon" names={named(tried.found, words)} />,
  },
});

async function trained(calls: Calls, distance: number): Promise<{ dataset: string; job: Job }> {
  const dataset = await calls.dataset({ kind: "double_moons", distance, rows: ROWS, seed: calls.seed });
  const request = { target: "moon", model: { kind: "perceptron" }, split: { validation: 0 }, epochs: EPOCHS, seed: calls.seed };
  return { dataset, job: await calls.job(dataset, `perceptron, distance ${distance}, seed ${calls.seed}`, request) };
}

async function moons(calls: Calls, distance: number): Promise<Moons> {
  const { dataset, job } = await trained(calls, distance);
  const [rows, found, updates] = await Promise.all([
    table(calls, dataset, ROWS),
    plane(calls, job.id),
    body(api.GET("/v1/jobs/{job_id}/updates", { params: { path: { job_id: job.id }, query: { limit: MOST_UPDATES } }, signal: calls.signal })),
  ]);
  return { rows, job, found, updates };
}

/** Rows that the line in the pocket gets wrong. */
const pocketOf = (job: Job): number => toNumber((job.latest as Record<string, number>).pocket_mistakes);
/** What the exercise asks to stay below: two thirds of the mistakes that there are where the moons are closest. */
const mostOf = (job: Job): number => Math.max(2, Math.ceil((2 * pocketOf(job)) / 3));

const named = (found: Plane, words: Record<string, string>): string[] => (found.classes as string[]).map((name) => words[name] ?? name);

/** The updates one by one: the line before and after each, and how many rows it gets wrong. */
function Walk({ moons: { rows, updates }, words }: { moons: Moons; words: Record<string, string> }) {
  const text = glassText();
  const [at, goTo] = useState(0);
  const { items, features, classes } = updates;
  const last = items.length - 1;
  const place = Math.min(at, last);
  const column = (name: string) => rows.columns.indexOf(name);
  const cells = { x: rows.rows.map((row) => Number(row[column(features[0]!)])), y: rows.rows.map((row) => Number(row[column(features[1]!)])), classes: rows.rows.map((row) => classes.indexOf(row[column("moon")])) };
  const update = items[place]!;
  const x = items.map((each) => each.number);
  const series = [
    { name: words.mistakes!, x, y: items.map((each) => each.mistakes) },
    { name: words.pocket!, x, y: items.map((each) => each.pocket_mistakes) },
  ];
  return (
    <>
      <Figure title={words.steps!}>
        <Chart
          update={update}
          before={items[place - 1]}
          features={features as [string, string]}
          classes={classes.map((name) => words[name as string] ?? String(name)) as [string, string]}
          rows={cells}
          cause={{ x: cells.x[update.row]!, y: cells.y[update.row]! }}
          height={320}
        />
        <Stepper label={words.steps!} at={place} last={last} onChange={goTo} says={text.stepOf(integer(place + 1), integer(last + 1))} milliseconds={400} />
      </Figure>
      <Figure title={words.walk!} rows={() => ({ columns: ["update", "mistakes", "pocket"], rows: items.map((each) => [each.number, each.mistakes, each.pocket_mistakes]) })}>
        <Line label={words.walk!} series={series} xLabel={words.update!} height={220} marks={[{ x: update.number, label: "" }]} />
      </Figure>
    </>
  );
}
