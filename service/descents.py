"""Paths of gradient descent over the cost of a model of two parameters. Knows no HTTP."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np
from polars import DataFrame
from pydantic import TypeAdapter

from engine.errors import InputError, InvalidSpec
from engine.glass import descents as glass
from engine.glass.descents import PARAMETERS, Cost, Path, Posed, minimum, path_of, span, worth_showing
from engine.models.descent import batch_bounds
from engine.models.linear import LinearRegression
from engine.models.logistic import LogisticRegression, Penalty
from engine.spec import kind_of
from engine.tables.features import Column
from engine.tables.split import Split
from engine.training.completion import complete, task_of
from engine.training.spec import Training
from service.kernels import make_kernels
from service.language import spoken
from service.resources import FORMULAS
from service.schemas.descents import CostMinimum, CostPath, CostSurface, DescentSettings, DescentsRequest, DescentsResource
from service.schemas.models import FittedScaling, ScaledColumn
from service.schemas.parts import Formula
from service.work import refuse_too_much
from store import datasets
from store.connections import Store
from store.keys import Caller
from store.tables import Dataset

SHARED = {"/features/0": "/feature", "/features": "/feature", "/task": "/model", "/target": "/target", "/loss": "/loss"}
"""Fields of a job that all descents have in common, and what they are called here."""
TRAINING: TypeAdapter[Training] = TypeAdapter(Training)


def descents_of(store: Store, caller: Caller, request: DescentsRequest) -> DescentsResource:
    """The paths that are asked for, each as the job with its settings takes it, and the cost that they descend.

    Raises NotFound, or InputError, which names the field.
    """
    with store.database.reading() as session:
        dataset = datasets.get(session, request.dataset_id, caller.sees)
        table = datasets.load(session, store.files, dataset)
    trainings = []
    for place, settings in enumerate(request.descents or [DescentSettings()]):
        with _pointing_at(request, place):
            trainings.append(_training(request, settings, dataset, table))
    kinds = list(dict.fromkeys(training.preprocessing for training in trainings))
    _refuse_too_much(store.settings.max_work, request, trainings, len(kinds), dataset.rows)
    columns = datasets.columns(table, dataset, trainings[0].columns)
    make_kernels()
    posed, found = [], []
    start = None if request.start is None else (request.start[0], request.start[1])
    for place, training in enumerate(trainings):
        with _pointing_at(request, place):
            posed.append(Posed.of(training, columns))
        found.append(path_of(posed[place], start, request.hold))
    surfaces = []
    for kind in kinds:
        on_it = [place for place, training in enumerate(trainings) if training.preprocessing == kind]
        surfaces.append(_surface(request, posed[on_it[0]], [found[place] for place in on_it], columns))
    first = trainings[0]
    assert isinstance(first.model, LinearRegression | LogisticRegression) and first.loss is not None
    return DescentsResource(
        dataset_id=dataset.id,
        feature=request.feature,
        target=request.target,
        model=first.model,
        loss=first.loss,
        epochs=request.epochs,
        hold=request.hold,
        classes=None if posed[0].target.classes is None else list(posed[0].target.classes),
        surfaces=surfaces,
        paths=[
            _path(request, each, path, kinds.index(each.training.preprocessing))
            for each, path in zip(posed, found, strict=True)
        ],
        formulas=_formulas(request, posed[0]),
    )


@contextmanager
def _pointing_at(request: DescentsRequest, place: int) -> Iterator[None]:
    """A context in which what is wrong with a job is told of the request, or of the descent at that place."""
    try:
        yield
    except InputError as error:
        at = "" if request.descents is None else f"/descents/{place}"
        error.errors = [(SHARED.get(pointer, f"{at}{pointer}"), detail) for pointer, detail in error.errors]
        raise


def _training(request: DescentsRequest, settings: DescentSettings, dataset: Dataset, table: DataFrame) -> Training:
    """The job of those settings, completed. Raises InputError with pointers into that job."""
    known = datasets.summaries(dataset)
    kind = request.model
    if kind is None:
        is_class = request.target in known and task_of(known[request.target]) == "classification"
        kind = "logistic_regression" if is_class else "linear_regression"
    if kind == "linear_regression" and request.penalty is not None:
        raise InvalidSpec([("/penalty", "penalty means nothing for linear_regression; remove it")])
    model = (
        LinearRegression(solver="gradient_descent")
        if kind == "linear_regression"
        else LogisticRegression(solver="gradient_descent", penalty=request.penalty or Penalty())
    )
    training = Training(
        target=request.target,
        features=(request.feature,),
        model=model,
        loss=request.loss,
        epochs=request.epochs,
        split=Split(validation=0.0, test=0.0),
        **{field.name: getattr(settings, field.name) for field in dataclasses.fields(settings)},
    )
    return complete(training, datasets.summaries_for(lambda: table, dataset, training), dataset.rows)


def _refuse_too_much(limit: int, request: DescentsRequest, trainings: Sequence[Training], surfaces: int, rows: int) -> None:
    steps = sum(request.epochs * len(batch_bounds(rows, training.batch_size or "full")) for training in trainings)
    remedy = "ask for fewer epochs or descents, or for larger batches"
    refuse_too_much(limit, "/epochs", remedy, {"watched steps": steps, "row losses": 2 * steps * rows})
    points = surfaces * request.resolution ** (2 if request.hold is None else 1)
    remedy = "ask for fewer points a side, or take a dataset of fewer rows"
    refuse_too_much(limit, "/resolution", remedy, {"costs": points, "row losses": points * rows})


def _surface(request: DescentsRequest, posed: Posed, found: Sequence[Path], columns: Mapping[str, Column]) -> CostSurface:
    """The cost around the paths over it, and around its minimum."""
    cost = Cost(posed.problem)
    least = minimum(posed, columns) if request.hold is None else None
    places = np.vstack([worth_showing(path) for path in found] + ([] if least is None else [least]))
    w, b = (
        places[:1, place] if name == request.hold else span(places[:, place], request.resolution)
        for place, name in enumerate(PARAMETERS)
    )
    entry, scaling = posed.features.inputs[0], posed.training.preprocessing.scaling
    scaled = [] if entry.categories else [ScaledColumn(column=entry.name, center=entry.center, scale=entry.scale)]
    return CostSurface(
        preprocessing=TRAINING.dump_python(posed.training, mode="json")["preprocessing"],
        scaling=FittedScaling(kind=scaling.kind, formula=FORMULAS[kind_of(type(scaling))], columns=scaled),
        rows=posed.problem.train.rows,
        w=w.tolist(),
        b=b.tolist(),
        costs=cost.grid(w, b).tolist(),
        minimum=None
        if least is None
        else CostMinimum(point=least.tolist(), coefficients=posed.in_units(least[None])[0].tolist(), cost=cost(least)),
    )


def _path(request: DescentsRequest, posed: Posed, found: Path, surface: int) -> CostPath:
    training = posed.training
    assert training.optimizer is not None
    document = TRAINING.dump_python(training, mode="json")
    return CostPath(
        settings={field.name: document[field.name] for field in dataclasses.fields(DescentSettings)},
        surface=surface,
        formula=training.optimizer.formula,
        points=found.thetas.tolist(),
        coefficients=posed.in_units(found.thetas).tolist(),
        costs=found.costs.tolist(),
        gradients=found.gradients.tolist(),
        tangents=None if request.hold is None else found.tangents(request.hold).tolist(),
        epochs=found.epochs,
        learning_rates=found.rates,
        states={name: vectors.tolist() for name, vectors in found.states.items()},
        diverged=bool(found.warnings),
        warnings=spoken(found.warnings),
    )


def _formulas(request: DescentsRequest, posed: Posed) -> dict[str, Formula]:
    loss = posed.training.loss
    assert loss is not None
    is_penalized = any(posed.training.penalties(posed.problem.train.rows))
    told = {
        "costs": Formula(formula=rf"{glass.COST}{glass.PENALTY * is_penalized}, \quad {loss.formula}", source=loss.source),
        "gradients": Formula(formula=rf"{glass.GRADIENT}, \quad {loss.derivative}", source=None),
        "coefficients": Formula(formula=glass.COEFFICIENTS, source=None),
    }
    return told if request.hold is None else told | {"tangents": Formula(formula=glass.TANGENT, source=None)}
