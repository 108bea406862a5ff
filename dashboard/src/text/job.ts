/** Texts of the view of one job. */
import { translated } from "./language";

export const jobText = translated(
  {
    parts: "Parts of the job",
    tabs: {
      curves: "Curves",
      network: "Network",
      histograms: "Histograms",
      boundary: "Boundary",
      evaluation: "Evaluation",
      settings: "Settings",
      log: "Log",
    },
  },
  {
    parts: "Partes do treino",
    tabs: {
      curves: "Curvas",
      network: "Rede",
      histograms: "Histogramas",
      boundary: "Fronteira",
      evaluation: "Avaliação",
      settings: "Configuração",
      log: "Registro",
    },
  },
);
