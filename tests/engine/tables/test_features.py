import tracemalloc
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from engine.errors import UnusableData
from engine.parts.scaling import BLOCK_CELLS, MeanNormalization, NoScaling, Scaling, Standardization
from engine.spec import members
from engine.tables.features import Column, Features, Input, pointer
from tests.engine import table

FILLING = ["mean", "median", "most_frequent"]


def fit(missing: str = "error", scaling: Any = None, **cells: list[Any]) -> tuple[Features, dict[str, Column]]:
    columns = table(cells).columns
    return Features.fit(list(columns.values()), missing, scaling or NoScaling()), columns


# --- encoding ---


def test_numbers_are_scaled_and_two_words_are_one_feature() -> None:
    features, columns = fit(
        scaling=MeanNormalization(), size=[1.0, 2.0, 6.0], road=["yes", "no", "yes"], sure=[True, False, True]
    )
    assert features.names == ["size", "road=yes", "sure"]
    np.testing.assert_allclose(features.transform(columns)[:, 0], [-0.4, -0.2, 0.6])
    np.testing.assert_array_equal(features.transform(columns)[:, 1], [1, 0, 1])
    np.testing.assert_allclose(features.transform(columns)[:, 2], np.array([1, 0, 1]) - 2 / 3)


def test_more_words_have_a_feature_each() -> None:
    features, columns = fit(size=[1], kind=["b"])
    assert features.names == ["size", "kind=b"]
    features, columns = fit(kind=["b", "a", "c", "b"])
    assert features.names == ["kind=a", "kind=b", "kind=c"]
    np.testing.assert_array_equal(features.transform(columns), [[0, 1, 0], [1, 0, 0], [0, 0, 1], [0, 1, 0]])


def test_a_word_not_seen_when_fitting_is_none_of_them() -> None:
    features, _ = fit(kind=["b", "a", "c"], road=["yes", "no", "yes"])
    later = table({"kind": ["d", "c", "a", "0"], "road": ["maybe", "yes", "no", "yes"]}).columns  # other codes, other order
    np.testing.assert_array_equal(features.transform(later), [[0, 0, 0, 0], [0, 0, 1, 1], [1, 0, 0, 0], [0, 0, 0, 1]])


def test_only_the_words_of_the_fitted_rows_count() -> None:
    data = table({"kind": ["a", "b", "c", "a", "b"]})
    kind = data.columns["kind"]
    features = Features.fit([kind.take(np.array([1, 2, 4]))], "most_frequent", NoScaling())
    assert features.names == ["kind=c"]
    assert features.inputs[0].categories == ("b", "c")
    np.testing.assert_array_equal(features.transform(data.columns), [[0], [0], [1], [0], [0]])


@pytest.mark.parametrize("rule", [cls() for cls in members(Scaling)], ids=lambda rule: rule.kind)
def test_a_constant_column_is_0_unless_it_is_left_as_it_is(rule: Any) -> None:
    features, columns = fit(scaling=rule, flat=[7.5] * 4, x=[1, 2, 3, 4])
    np.testing.assert_array_equal(features.transform(columns)[:, 0], 7.5 if rule.kind == "none" else 0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_type_is_the_callers(dtype: Any) -> None:
    features, columns = fit(x=[1, 2], kind=["a", "b"])
    X = features.transform(columns, dtype)
    assert X.dtype == dtype
    assert X.flags.c_contiguous


def test_no_rows_no_matrix() -> None:
    features, _ = fit(x=[1, 2], kind=["a", "b"])
    nothing = {"x": Column("x", "integer", np.empty(0)), "kind": Column("kind", "categorical", np.empty(0, np.int32), ("a",))}
    assert features.transform(nothing).shape == (0, 2)


# --- gaps ---


@pytest.mark.parametrize(("missing", "expected"), [("mean", 13 / 4), ("median", 2.5), ("most_frequent", 2)])
def test_fills_of_numbers(missing: str, expected: float) -> None:
    features, columns = fit(missing, x=[2.0, None, 2.0, 3.0, 6.0, None])
    np.testing.assert_allclose(features.transform(columns)[:, 0], [2, expected, 2, 3, 6, expected])
    assert features.inputs[0].fill == pytest.approx(expected)


@pytest.mark.parametrize("missing", FILLING)
def test_a_word_is_filled_by_the_most_frequent(missing: str) -> None:
    features, columns = fit(missing, kind=["c", "a", None, "c", "b"])
    np.testing.assert_array_equal(features.transform(columns)[2], [0, 0, 1])
    later = table({"kind": ["a", None, "aa"]}).columns  # codes of another table
    np.testing.assert_array_equal(features.transform(later), [[1, 0, 0], [0, 0, 1], [0, 0, 0]])


@pytest.mark.parametrize("missing", FILLING)
def test_of_equally_frequent_values_the_first(missing: str) -> None:
    features, columns = fit(missing, kind=["b", "a", None], flag=[True, False, None])
    np.testing.assert_array_equal(features.transform(columns)[2, 0], 0)
    assert features.inputs[1].fill == (0 if missing == "most_frequent" else 0.5)


@pytest.mark.parametrize("missing", FILLING)
def test_a_column_without_a_value_is_0(missing: str) -> None:
    """As the training rows may have it, where the only values are in the validation rows."""
    columns = {
        "x": Column("x", "numeric", np.full(3, np.nan)),
        "kind": Column("kind", "categorical", np.full(3, -1, np.int32), ("a", "b", "c")),
    }
    features = Features.fit(list(columns.values()), missing, MeanNormalization())
    X = features.transform(columns)
    assert np.isfinite(X).all()
    np.testing.assert_array_equal(X[:, 0], 0)


@pytest.mark.parametrize("missing", ["error", "drop"])
def test_a_gap_that_nothing_fills_is_named(missing: str) -> None:
    features, _ = fit(missing, x=[1.0, 2.0], kind=["a", "b"])
    for name, cells in (("x", [1.0, None]), ("kind", ["a", None])):
        later = table({"x": [1.0, 2.0], "kind": ["a", "b"]} | {name: cells}).columns
        with pytest.raises(UnusableData, match=f"column '{name}' is missing a value in row 1") as raised:
            features.transform(later)
        assert [at for at, _ in raised.value.errors] == [f"/{name}"]


def test_fills_are_scaled_too() -> None:
    features, columns = fit("mean", MeanNormalization(), x=[0.0, 10.0, None])
    np.testing.assert_allclose(features.transform(columns)[:, 0], [-0.5, 0.5, 0])


# --- back to the data's units ---


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32), scaling=st.sampled_from([cls() for cls in members(Scaling)]), rows=st.integers(2, 9),
    outputs=st.integers(1, 3),
)  # fmt: skip
def test_unscaled_coefficients_say_the_same_of_raw_columns(seed: int, scaling: Any, rows: int, outputs: int) -> None:
    rng = np.random.default_rng(seed)
    cells: dict[str, Any] = {
        "a": rng.normal(50, 9, rows), "flat": np.full(rows, 3.5), "b": rng.normal(-2, 0.1, rows),
        "kind": rng.choice(["p", "q", "r"], rows), "road": rng.choice(["no", "yes"], rows),
    }  # fmt: skip
    columns = table(cells).columns
    scaled, raw = (Features.fit(list(columns.values()), "error", rule) for rule in (scaling, NoScaling()))
    W, b = rng.normal(0, 1, (len(scaled.names), outputs)), rng.normal(0, 1, outputs)
    kept = W.copy()
    raw_W, raw_b = scaled.unscale(W, b)
    np.testing.assert_allclose(raw.transform(columns) @ raw_W + raw_b, scaled.transform(columns) @ W + b, atol=1e-7)
    np.testing.assert_array_equal(W, kept)
    center = np.concatenate([[entry.center] * len(entry.features) for entry in scaled.inputs])
    scale = np.concatenate([[entry.scale] * len(entry.features) for entry in scaled.inputs])
    np.testing.assert_allclose(raw_W * scale[:, None], W)  # and back again
    np.testing.assert_allclose(raw_b + center @ raw_W, b, atol=1e-9)


# --- as JSON ---

FEATURES = TypeAdapter(Features)


@pytest.mark.parametrize("missing", ["error", *FILLING])
def test_fitted_features_survive_json(missing: str) -> None:
    hole = None if missing in FILLING else 4.25
    features, columns = fit(
        missing, MeanNormalization(), x=[0.1, 1 / 3, hole], n=[1, 2, 7], flag=[True, False, True], kind=["ü", "b", "c/~d"]
    )
    again = FEATURES.validate_json(FEATURES.dump_json(features))
    assert again == features
    assert FEATURES.validate_python(FEATURES.dump_python(features, mode="json")) == features
    np.testing.assert_array_equal(again.transform(columns), features.transform(columns))


def test_pointers_are_escaped() -> None:
    assert pointer("records", 0, "a/b~c") == "/records/0/a~1b~0c"
    assert pointer() == ""


def test_an_input_names_its_features() -> None:
    assert Input("x", "numeric", None).features == ["x"]
    assert Input("k", "categorical", None, categories=("a", "b")).features == ["k=b"]
    assert Input("k", "categorical", None, categories=("a", "b", "c")).features == ["k=a", "k=b", "k=c"]


# --- many categories, and oracles ---


def words(*counts: int) -> list[str]:
    return [f"w{place}" for place, count in enumerate(counts) for _ in range(count)]


def test_rare_categories_share_a_feature_with_those_never_seen() -> None:
    columns = table({"kind": words(1, 5, 3, 1, 4)}).columns
    features = Features.fit(list(columns.values()), "error", NoScaling(), max_categories=3)
    assert features.names == ["kind=w1", "kind=w2", "kind=w4", "kind=other"]
    later = table({"kind": ["w0", "w1", "w3", "w9", "w4"]}).columns
    np.testing.assert_array_equal(
        features.transform(later), [[0, 0, 0, 1], [1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 1, 0]]
    )
    assert Features.fit(list(columns.values()), "error", NoScaling(), max_categories=5).width == 5
    assert FEATURES.validate_json(FEATURES.dump_json(features)) == features


def test_the_word_other_is_among_the_others() -> None:
    columns = table({"kind": ["other"] * 9 + words(3, 2, 1)}).columns
    features = Features.fit(list(columns.values()), "most_frequent", NoScaling(), max_categories=2)
    assert features.names == ["kind=w0", "kind=w1", "kind=other"]
    np.testing.assert_array_equal(features.transform(table({"kind": ["other", "w1", "w2"]}).columns), np.eye(3)[[2, 1, 2]])
    assert Features.fit(list(columns.values()), "error", NoScaling(), max_categories=4).names == [
        "kind=other", "kind=w0", "kind=w1", "kind=w2",
    ]  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32), kinds=st.integers(3, 9), most=st.integers(2, 9))
def test_one_hot_is_scikit_learns(seed: int, kinds: int, most: int) -> None:
    rng = np.random.default_rng(seed)
    seen = rng.permutation(words(*rng.permutation(np.arange(1, kinds + 1))))  # no two are equally frequent
    later = rng.choice([f"w{kind}" for kind in range(kinds + 3)], 40)
    features = Features.fit(list(table({"kind": seen}).columns.values()), "error", NoScaling(), max_categories=most)
    limit = {"max_categories": most + 1} if kinds > most else {}
    encoder = OneHotEncoder(sparse_output=False, handle_unknown="infrequent_if_exist", **limit).fit(seen[:, None])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = encoder.transform(later[:, None])
    np.testing.assert_array_equal(features.transform(table({"kind": later}).columns), expected)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32), missing=st.sampled_from(FILLING))
def test_fills_and_standard_scales_are_scikit_learns(seed: int, missing: str) -> None:
    rng = np.random.default_rng(seed)
    seen, later = (rng.integers(-5, 6, (size, 3)).astype(float) for size in (30, 20))
    for cells in (seen, later):
        cells[rng.random(cells.shape) < 0.2] = np.nan
    seen[0] = 1.0

    def named(cells: np.ndarray) -> dict[str, Column]:
        return {f"x{place}": Column(f"x{place}", "numeric", np.ascontiguousarray(cells[:, place])) for place in range(3)}

    features = Features.fit(list(named(seen).values()), missing, Standardization())
    oracle = make_pipeline(SimpleImputer(strategy=missing), StandardScaler()).fit(seen)
    np.testing.assert_allclose(features.transform(named(later)), oracle.transform(later), atol=1e-12)


# --- arrays ---


def images(rows: int = 5, dtype: Any = np.uint8) -> tuple[Column, np.ndarray]:
    cells = np.random.default_rng(0).integers(0, 256, (rows, 3, 4)).astype(dtype)
    return Column("pixels", "image", cells.reshape(rows, 12), shape=(3, 4)), cells


def test_every_number_of_an_array_is_a_feature() -> None:
    column, cells = images()
    features = Features.fit([column, Column("x", "numeric", np.arange(5.0))], "error", NoScaling())
    assert features.width == len(features.names) == 13
    assert features.names[:2] == ["pixels[0,0]", "pixels[0,1]"]
    assert features.names[11:] == ["pixels[2,3]", "x"]
    X = features.transform({"pixels": column, "x": Column("x", "numeric", np.arange(5.0))})
    np.testing.assert_array_equal(X[:, :12], cells.reshape(5, 12))
    assert features.inputs[0].shape == (3, 4)


@pytest.mark.parametrize("rule", [cls() for cls in members(Scaling)], ids=lambda rule: rule.kind)
def test_an_image_has_one_scale_and_a_vector_one_for_each_number(rule: Any) -> None:
    column, cells = images(rows=50)
    flat = cells.reshape(50, 12).astype(np.float64)
    as_image = Features.fit([column], "error", rule).transform({"pixels": column})
    center, scale = rule.fit(flat.reshape(-1, 1))
    np.testing.assert_array_equal(as_image, (flat - center) / scale)
    vector = Column("pixels", "vector", column.values, shape=(12,))
    features = Features.fit([vector], "error", rule)
    center, scale = rule.fit(flat)
    np.testing.assert_array_equal(features.transform({"pixels": vector}), (flat - center) / scale)
    again = FEATURES.validate_json(FEATURES.dump_json(features))
    assert again == features
    W, b = np.ones((12, 1)), np.zeros(1)
    raw_W, raw_b = features.unscale(W, b)
    np.testing.assert_allclose(flat @ raw_W + raw_b, features.transform({"pixels": vector}) @ W + b, atol=1e-9)


def test_bytes_do_not_become_floats_all_at_once() -> None:
    """The matrix itself is float32; what is beside it stays far below one copy in float64."""
    rows = 4000
    column = Column("pixels", "image", np.zeros((rows, 784), np.uint8), shape=(28, 28))
    column.values[:, 5] = 200
    tracemalloc.start()
    features = Features.fit([column], "error", Standardization())
    X = features.transform({"pixels": column}, np.float32)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < X.nbytes + 4 * 8 * BLOCK_CELLS < X.nbytes + rows * 784 * 8


def test_a_gap_in_an_array_is_named() -> None:
    column, _ = images(dtype=np.float32)
    column.values[3, 7] = np.nan
    assert column.missing.tolist() == [False, False, False, True, False]
    features = Features.fit([column], "drop", NoScaling())
    with pytest.raises(UnusableData, match="column 'pixels' is missing a value in row 3"):
        features.transform({"pixels": column}, rows=np.array([0, 3]))


def test_whole_numbers_need_not_be_floats() -> None:
    column = Column("n", "integer", np.array([3, 1, 2], np.int16))
    assert not column.missing.any()
    features = Features.fit([column], "mean", MeanNormalization())
    np.testing.assert_allclose(features.transform({"n": column})[:, 0], [0.5, -0.5, 0])


# --- names ---


def test_names_are_told_apart() -> None:
    words = {"a": ["b=c", "d", "e"] * 4, "a=b": ["c", "f", "g"] * 4}
    cells: dict[str, Any] = {**words, "sex": ["male", "female"] * 6, "sex=male": list(range(12)), 'sex="male"': list(range(12))}
    features = Features.fit(table(cells).columns.values(), "error", NoScaling())
    assert features.names == [
        'a="b=c"', "a=d", "a=e", 'a=b="c"', "a=b=f", "a=b=g", 'sex="male" (2)', "sex=male", 'sex="male"',
    ]  # fmt: skip
    assert Features(features.inputs).names[0] == "a=b=c"  # as a model that was stored before has it


def test_an_array_gives_way_to_a_column_of_its_numbers_name() -> None:
    pixels = Column("p", "vector", np.arange(6.0).reshape(3, 2), shape=(2,))
    features = Features.fit([pixels, Column("p[0]", "numeric", np.arange(3.0))], "error", NoScaling())
    assert features.names == ['"p"[0]', "p[1]", "p[0]"]


@given(st.lists(st.tuples(st.text("a=b ", max_size=4), st.text("a=b ", max_size=4)), min_size=1, max_size=6))
def test_every_feature_has_a_name_of_its_own(pairs: list[tuple[str, str]]) -> None:
    names = list(dict.fromkeys(name for name, _ in pairs))
    columns = [
        Column(name, "categorical", np.arange(3, dtype=np.int32), tuple(sorted({word, word + "b", word + "=b"})))
        if place % 2
        else Column(name, "numeric", np.arange(3.0))
        for place, (name, (_, word)) in enumerate(zip(names, pairs, strict=False))
    ]
    found = Features.fit(columns, "error", NoScaling())
    assert len(set(found.names)) == len(found.names) == found.width
    assert found == Features.fit(columns, "error", NoScaling())
