/** Names of curves and metrics for people: the API's are train_loss, validation_accuracy and the like. */
import { translated } from "./language";

const text = translated(
  {
    names: {
      loss: "Loss",
      accuracy: "Accuracy",
      top_k_accuracy: "Top-k accuracy",
      inertia: "Inertia",
      silhouette: "Silhouette",
      adjusted_rand_index: "Adjusted Rand index",
      tag_accuracy: "Tag accuracy",
      precision_macro: "Precision (macro)",
      recall_macro: "Recall (macro)",
      f1_macro: "F1 (macro)",
      log_loss: "Log loss",
      roc_auc: "ROC AUC",
      r2: "R²",
      rmse: "Root mean squared error",
      mae: "Mean absolute error",
      batch_loss: "Loss of each batch",
      learning_rate: "Learning rate",
      gradient_norm: "Gradient norm",
      weight_norm: "Weight norm",
      mistakes: "Mistakes",
      pocket_mistakes: "Fewest mistakes so far",
      condition: "Condition number",
      rank: "Rank",
      updates: "Updates",
      restart: "Best restart",
      moving_restarts: "Restarts that still move",
      empty_clusters: "Empty clusters",
      epoch: "Epoch",
      seconds: "Seconds per epoch",
      step: "Step",
    },
    of: { train: (name: string) => `${name} (training)`, validation: (name: string) => `${name} (validation)`, test: (name: string) => `${name} (test)` },
  },
  {
    names: {
      loss: "Perda",
      accuracy: "Acurácia",
      top_k_accuracy: "Acurácia top-k",
      inertia: "Inércia",
      silhouette: "Silhueta",
      adjusted_rand_index: "Índice de Rand ajustado",
      tag_accuracy: "Acurácia dos rótulos",
      precision_macro: "Precisão (macro)",
      recall_macro: "Revocação (macro)",
      f1_macro: "F1 (macro)",
      log_loss: "Perda logarítmica",
      roc_auc: "Área sob a curva ROC",
      r2: "R²",
      rmse: "Raiz do erro quadrático médio",
      mae: "Erro absoluto médio",
      batch_loss: "Perda de cada lote",
      learning_rate: "Taxa de aprendizado",
      gradient_norm: "Norma do gradiente",
      weight_norm: "Norma dos pesos",
      mistakes: "Erros",
      pocket_mistakes: "Menor número de erros até agora",
      condition: "Número de condição",
      rank: "Posto",
      updates: "Atualizações",
      restart: "Melhor início",
      moving_restarts: "Inícios que ainda se movem",
      empty_clusters: "Grupos vazios",
      epoch: "Época",
      seconds: "Segundos por época",
      step: "Passo",
    },
    of: { train: (name: string) => `${name} (treinamento)`, validation: (name: string) => `${name} (validação)`, test: (name: string) => `${name} (teste)` },
  },
);

/** A curve or a metric in the reader's language; one that is not known here by its own name. */
export function seriesName(name: string): string {
  const { names, of } = text();
  const named = (key: string) => {
    const plain = key.replaceAll("_", " ");
    return (names as Record<string, string>)[key] ?? plain.charAt(0).toUpperCase() + plain.slice(1);
  };
  const [, split, rest = ""] = /^(train|validation|test)_(.+)$/.exec(name) ?? [];
  return split ? of[split as keyof typeof of](named(rest)) : named(name);
}
