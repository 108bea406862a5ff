"""Every kind of model. To lengthen the list, add one file and its name here."""

from typing import Annotated

from engine.forms import ByKind
from engine.models.linear import LinearRegression
from engine.models.logistic import LogisticRegression
from engine.models.mlp import MultilayerPerceptron
from engine.models.perceptron import Perceptron

AnyModel = Annotated[LinearRegression | LogisticRegression | Perceptron | MultilayerPerceptron, ByKind()]
