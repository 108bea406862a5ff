"""Every kind of model. To lengthen the list, add one file and its name here."""

from typing import Annotated

from engine.forms import ByKind
from engine.models.alexnet import AlexNet
from engine.models.k_means import KMeans
from engine.models.lenet5 import LeNet5
from engine.models.linear import LinearRegression
from engine.models.logistic import LogisticRegression
from engine.models.mlp import MultilayerPerceptron
from engine.models.network import LayeredNetwork
from engine.models.perceptron import Perceptron

AnyModel = Annotated[
    LinearRegression | LogisticRegression | Perceptron | MultilayerPerceptron | LayeredNetwork | LeNet5 | AlexNet | KMeans,
    ByKind(),
]
