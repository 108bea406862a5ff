"""Of which warnings were made that earlier versions have stored, and no code makes any more."""

STORED = {
    # Up to version 0.5
    "column {found} in all {rows} training rows: there is nothing to learn of it, and r2 has no value. Choose another target, or rows in which it varies": "coluna {found} em todas as {rows} linhas de treinamento: não há o que aprender com isso, e r2 não tem valor. Escolha outro alvo, ou linhas em que ele varie",
    "column {found} in all {rows} training rows, rounded to float32: there is nothing to learn of it, and r2 has no value. Choose another target, or rows in which it varies; if it does, set preprocessing.target_scaling to standard": "coluna {found} em todas as {rows} linhas de treinamento, arredondadas para float32: não há o que aprender com isso, e r2 não tem valor. Escolha outro alvo, ou linhas em que ele varie; se ele já varia, defina preprocessing.target_scaling como standard",
    "a line parts the classes in the training rows, so that without a penalty the weights grow without bound: they are {length:.4g} long, and longer with every epoch. Set model.penalty.l2 above 0; 1 is the default": "uma reta separa as classes nas linhas de treinamento, então sem penalidade os pesos crescem sem limite: sua norma é {length:.4g}, e aumenta a cada época. Defina model.penalty.l2 acima de 0; o padrão é 1",
}
