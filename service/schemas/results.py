"""Results of a job: checkpoints, weights, evaluation, histograms."""

from typing import Annotated, Any, Literal

from pydantic import Field

from service.schemas.parts import NESTED, Number, Resource, Time, Values


class CheckpointResource(Resource):
    epoch: int
    sha256: str | None = Field(description="null for epoch 0, which is not kept but worked out anew")
    bytes: int | None
    values: Values
    periodic: bool
    created_at: Time


class LayerWeights(Resource):
    name: str
    kind: str = Field(description="dense, conv2d, …: the kind of layer")
    inputs: list[str] | None = Field(
        default=None, description="of the first layer, the features by name, one a row of the weights; each name once"
    )
    outputs: list[str] | None = Field(default=None, description="of the last layer, what each column of the weights speaks for")
    weights: list[list[Number]] = Field(description="(inputs, outputs) of a dense layer; empty for any other")
    bias: list[Number] | None
    arrays: dict[str, Annotated[list[Any], NESTED]] | None = Field(
        default=None,
        description="of any other layer, every array by name: weights (height, width, channels in, filters) of a convolution, "
        "gamma, beta, running mean and variance of a batch normalization",
    )


class Coefficients(Resource):
    """A linear model's coefficients in the data's own units, before any scaling."""

    features: list[str]
    outputs: list[str]
    weights: list[list[Number]] = Field(description="(features, outputs)")
    bias: list[Number] | None


class LastWeights(Resource):
    """The last weights of a perceptron's rule after the epoch, beside the best that its pocket holds."""

    layers: list[LayerWeights]
    coefficients: Coefficients


class CentroidsResource(Resource):
    """Where the clusters of k_means are, one a row; a 0/1 feature of a category holds the share of the cluster's rows."""

    features: list[str]
    values: list[list[Number]] = Field(description="(clusters, features), in the data's own units")
    scaled: list[list[Number]] = Field(description="the same as features are scaled, which is how distances are taken")


class Weights(Resource):
    job_id: str
    epoch: int
    layers: list[LayerWeights] = Field(description="none of k_means")
    coefficients: Coefficients | None = Field(description="for models without hidden layers")
    centroids: CentroidsResource | None = Field(default=None, description="of k_means alone")
    last: LastWeights | None = Field(
        default=None, description="of a perceptron: its last weights; `layers` are those of its pocket, which the model takes"
    )


class ClassScores(Resource):
    label: Any = Field(alias="class")
    precision: float | None
    recall: float | None
    f1: float | None
    support: int = Field(description="rows of that class")


class RocCurve(Resource):
    """Of one class against the rest; null where no row is of the class, or every row is."""

    label: Any = Field(alias="class")
    false_positive_rate: list[float] | None
    true_positive_rate: list[float] | None
    threshold: list[Number] | None


class PrecisionRecallCurve(Resource):
    """Of one class against the rest; null where no row is of the class."""

    label: Any = Field(alias="class")
    recall: list[float] | None
    precision: list[float] | None
    threshold: list[Number] | None


class LargeResidual(Resource):
    row: int = Field(description="of the dataset, as /rows counts them")
    actual: Number
    predicted: Number
    residual: Number = Field(description="actual less predicted")


class Residuals(Resource):
    """Actual less predicted; the points are thinned evenly where there are many."""

    actual: list[Number]
    predicted: list[Number]
    metrics: dict[str, Number | None] = Field(description="of this target alone, in its own unit")
    mean: Number
    std: Number
    quantiles: dict[str, Number]
    largest: list[LargeResidual] = Field(description="the rows that are furthest off, the furthest first")


class ClusterResource(Resource):
    """One cluster of the evaluated rows, each of which is in that of the nearest centroid."""

    cluster: int = Field(description="its number, from 0, as predictions give it")
    rows: int
    inertia: Number = Field(description="the sum of its rows' squared distances to the centroid, as features are scaled")
    mean_distance: Number | None = Field(description="of its rows to the centroid; null where it has none")
    silhouette: Number | None = Field(description="the mean of those of its rows that the silhouette was taken of")
    labels: dict[str, int] | None = Field(
        description="how many of its rows have each label of model.compare_with, the 20 most frequent first; null without one"
    )


class AlongResource(Resource):
    """Where rows and centroids lie along a feature, in its column's own unit; of a category's feature, 0 or 1."""

    feature: str
    rows: list[Number] = Field(description="one a row; what fills a gap, where there is one")
    centroids: list[Number] = Field(description="one a cluster, from cluster 0 on")


class ClustersResource(Resource):
    """Rows on the plane of two features, each with its cluster, and the centroids there."""

    job_id: str
    epoch: int
    x: AlongResource
    y: AlongResource | None = Field(description="null where the rows lie on a line")
    rows: list[int] = Field(description="of the dataset, as /rows counts them")
    clusters: list[int] = Field(description="of each of these rows: that of the nearest centroid, by all features")
    of_rows: int = Field(description="how many rows the job could use, of which these are some or all")


class EvaluationResource(Resource):
    job_id: str
    epoch: int
    split: Literal["train", "validation", "test"]
    rows: int
    metrics: Values = Field(description="of several numbers, the mean over them; residuals have those of each")
    units: dict[str, str] = Field(
        default_factory=dict,
        description="of the metrics that have one: the target's own, however it was scaled",
        examples=[{"mae": "target", "rmse": "target"}],
    )
    classes: list[Any] | None
    confusion_matrix: list[list[int]] | None = Field(description="true classes down, predicted across")
    by_class: list[ClassScores] | None
    roc: list[RocCurve] | None = Field(description="each class against the rest")
    precision_recall: list[PrecisionRecallCurve] | None
    residuals: dict[str, Residuals] | None = Field(description="by target")
    clusters: list[ClusterResource] | None = Field(default=None, description="of a clustering, in the order of the centroids")
    silhouette_rows: int | None = Field(
        default=None,
        description="of how many rows the silhouette was taken: all, up to 10,000; of more, so many that the job's seed "
        "draws, and fewer of rows with over 500 features",
    )
    top_k: int | None = Field(
        default=None,
        description="the k of top_k_accuracy, which is given where there are more classes; the top-k error is 1 − it",
    )


class LayerHistogramResource(Resource):
    layer: str
    of: Literal["weights", "activations", "gradients"]
    count: int
    mean: float
    std: float
    norm: float = Field(description="the root of the sum of the squares")
    min: float
    max: float
    edges: list[float] = Field(
        description="one more than there are counts: multiples of a power of two, so that bins of one epoch lie within those "
        "of another; of a job from before version 0.6, from the least to the greatest number"
    )
    counts: list[int]
    dead: float | None = Field(description="share of hidden units whose activation is flat at every row looked at")
    saturated: float | None = Field(description="share of hidden units and rows at which the activation is nearly flat")
    update_ratio: float | None = Field(
        description="of weights: how far the optimizer's next step would move them on the rows looked at, beside their norm"
    )
    alike: float | None = Field(description="of weights: share of hidden units that have the weights of another, to 0.1%")


class EpochHistograms(Resource):
    epoch: int
    layers: list[LayerHistogramResource]
