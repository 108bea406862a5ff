/** Texts of the form that forks a job. */
import { translated } from "./language";

export const forkText = translated(
  {
    title: "Fork this job",
    lead: "A new job goes on from a checkpoint of this one, with the settings that you change here. Data, target, features, model, preprocessing, split and precision stay as they are, since the weights were made for them.",
    epoch: "From epoch",
    epochHelp: "The checkpoints that are kept. The new job begins with these weights.",
    none: "This job has no checkpoint yet. A fork needs one.",
    best: (epoch: string) => `${epoch} (best)`,
    last: (epoch: string) => `${epoch} (last)`,
    start: "Start the fork",
    starting: "Starting…",
    more: "All settings",
    name: "Name",
    same: "Nothing is changed: the fork ends as this job did.",
    still: (epochs: string, time: string | null) => `${epochs} epochs to go${time === null ? " at most" : `, about ${time}`}`,
  },
  {
    title: "Derivar este treino",
    lead: "Um novo treino continua de um checkpoint deste, com as configurações que você mudar aqui. Dados, alvo, atributos, modelo, pré-processamento, divisão e precisão ficam como estão, pois os pesos foram feitos para eles.",
    epoch: "A partir da época",
    epochHelp: "Os checkpoints guardados. O novo treino começa com esses pesos.",
    none: "Este treino ainda não tem checkpoint. Um treino derivado precisa de um.",
    best: (epoch: string) => `${epoch} (melhor)`,
    last: (epoch: string) => `${epoch} (última)`,
    start: "Começar o treino derivado",
    starting: "Começando…",
    more: "Todas as configurações",
    name: "Nome",
    same: "Nada foi mudado: o treino derivado termina como este.",
    still: (epochs: string, time: string | null) => `faltam ${time === null ? "no máximo " : ""}${epochs} épocas${time === null ? "" : `, cerca de ${time}`}`,
  },
);
