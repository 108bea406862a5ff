from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from engine.errors import UnusableData
from engine.parts.losses import BinaryCrossEntropy, CrossEntropy
from engine.tables.features import Column
from engine.tables.target import TARGETS, Classes, NoTarget, Numbers, Tags, Target
from tests.engine import table

TARGET: TypeAdapter[Any] = TypeAdapter(Target)


# --- classes ---

CLASSES: list[tuple[list[Any], type]] = [
    ([3, 1, 1, 2], int), ([True, False, True, False], bool), (["b", "a", "b", "10"], str), ([0, 1, 0, 1], int),
    (["1", "0"], str),
]  # fmt: skip


@pytest.mark.parametrize(("cells", "kind"), CLASSES)
def test_classes_keep_their_type_through_json(cells: list[Any], kind: type) -> None:
    target = Classes.fit([table({"y": cells}).columns["y"]])
    assert target.classes == tuple(sorted(set(cells)))
    again = TARGET.validate_json(TARGET.dump_json(target))
    assert again == target
    for found in (target, again):
        assert found.classes is not None
        assert {type(label) for label in found.classes} == {kind}


@pytest.mark.parametrize(("cells", "kind"), CLASSES)
def test_labels_are_places_among_the_classes(cells: list[Any], kind: type) -> None:
    columns = table({"y": cells}).columns
    target = Classes.fit([columns["y"]])
    labels = target.strata(columns)
    assert labels is not None
    assert [target.classes[label] for label in labels] == cells
    K = len(target.classes)
    Y = target.matrix(columns, K, np.float64)
    assert Y.shape == (len(cells), K)
    np.testing.assert_array_equal(Y.argmax(axis=1), labels)
    np.testing.assert_array_equal(Y.sum(axis=1), 1)
    if K == 2:
        np.testing.assert_array_equal(target.matrix(columns, 1, np.float32)[:, 0], labels)


def test_classes_that_no_row_has_are_none() -> None:
    column = Column("y", "categorical", np.array([2, 0, 2], np.int32), ("a", "b", "c"))
    target = Classes.fit([column])
    assert target.classes == ("a", "c")
    np.testing.assert_array_equal(target.strata({"y": column}), [1, 0, 1])


def test_a_regressions_target_is_its_numbers() -> None:
    columns = table({"y": [1.5, -2.0]}).columns
    target = Numbers.fit([columns["y"]])
    assert target.classes is None
    assert target.strata(columns) is None
    np.testing.assert_array_equal(target.matrix(columns, 1, np.float32), [[1.5], [-2]])


def test_classes_need_the_outputs_of_their_loss() -> None:
    for K in (2, 3, 5):
        target = Classes(("y",), tuple(range(K)))
        assert target.outputs(CrossEntropy()) == K
        assert target.outputs(BinaryCrossEntropy()) == (1 if K == 2 else K)
    assert Classes(("y",), ("a", "b")).outputs(None) == 1  # a perceptron has no loss


def test_a_class_is_the_largest_output_or_the_sign_of_the_only_one() -> None:
    target = Classes(("y",), ("a", "b", "c"))
    assert target.predictions(np.array([[0.1, 3, -1], [5, 5, 5], [-3, -2, -1]])) == ["b", "a", "c"]
    assert Classes(("y",), (False, True)).predictions(np.array([[0.5], [-0.5], [0.0]])) == [True, False, False]


def test_shares_of_classes_add_up_to_1() -> None:
    found = Classes(("y",), (10, 20, 30)).shares(np.array([[0.2, 0.2, 0.4], [1.0, 0, 0]]))
    assert found is not None
    assert list(found) == [10, 20, 30]
    np.testing.assert_allclose(np.stack(list(found.values()), axis=1), [[0.25, 0.25, 0.5], [1, 0, 0]])
    found = Classes(("y",), ("no", "yes")).shares(np.array([[0.3], [1.0]]))
    assert found is not None
    assert list(found) == ["no", "yes"]
    np.testing.assert_allclose(np.stack(list(found.values()), axis=1), [[0.7, 0.3], [0, 1]])


# --- numbers ---


def test_several_numbers_have_an_output_each_in_the_order_asked_for() -> None:
    columns = table({"a": [1.5, -2.0], "b": [3, 4], "c": [True, False]}).columns
    target = Numbers.fit([columns[name] for name in ("c", "a", "b")])
    assert target.names == ("c", "a", "b")
    assert target.outputs(None) == 3
    Y = target.matrix(columns, 3, np.float32)
    assert Y.dtype == np.float32
    np.testing.assert_array_equal(Y, [[1, 1.5, 3], [0, -2, 4]])


def test_one_number_is_predicted_bare_and_several_by_name() -> None:
    outputs = np.array([[1.5, 2.0], [-3.0, 0.25]], np.float32)
    assert Numbers(("y",)).predictions(outputs[:, :1]) == [1.5, -3.0]
    found = Numbers(("b", "a")).predictions(outputs)
    assert found == [{"b": 1.5, "a": 2.0}, {"b": -3.0, "a": 0.25}]
    assert [list(row) for row in found] == [["b", "a"]] * 2
    assert {type(value) for row in found for value in row.values()} == {float}
    assert Numbers(("b", "a")).predictions(outputs[:0]) == []
    assert Numbers(("b", "a")).shares(outputs) is None


# --- tags ---


def test_tags_of_every_kind_of_column() -> None:
    """Of two words the later in the alphabet is yes."""
    columns = table({"flag": [True, False, True], "bit": [0, 0, 1], "word": ["no", "yes", "no"], "never": [0, 0, 0]}).columns
    target = Tags.fit(list(columns.values()))
    assert (target.names, target.classes) == (tuple(columns), None)
    assert target.strata(columns) is None
    assert target.outputs(BinaryCrossEntropy()) == 4
    Y = target.matrix(columns, 4, np.float32)
    assert Y.dtype == np.float32
    np.testing.assert_array_equal(Y, [[1, 0, 0, 0], [0, 0, 1, 0], [1, 1, 0, 0]])


@pytest.mark.parametrize("cells", [[1, 2, 1], [0, 1, 2], [0, -1, 0]])
def test_other_numbers_are_no_tags(cells: list[int]) -> None:
    columns = table({"flag": [True, False, True], "rank": cells}).columns
    with pytest.raises(UnusableData, match="column 'rank' holds numbers other than 0 and 1") as raised:
        Tags.fit(list(columns.values()))
    assert [at for at, _ in raised.value.errors] == ["/target"]


def test_a_gap_is_no_tag_and_no_mistake() -> None:
    columns = table({"bit": [0, None, 1], "flag": [True, None, None]}).columns
    assert Tags.fit(list(columns.values())).names == ("bit", "flag")


def test_each_tag_is_predicted_for_itself() -> None:
    target = Tags(("b", "a"))
    found = target.predictions(np.array([[0.5, -0.5], [0.0, 2.0], [3.0, 4.0]], np.float32))
    assert found == [{"b": True, "a": False}, {"b": False, "a": True}, {"b": True, "a": True}]
    assert {type(value) for row in found for value in row.values()} == {bool}
    assert Tags(("b",)).predictions(np.array([[1.0]])) == [{"b": True}]
    shares = target.shares(np.array([[0.9, 0.8], [0.1, 0.3]]))
    assert shares is not None
    assert list(shares) == ["b", "a"]
    np.testing.assert_array_equal(shares["b"], [0.9, 0.1])
    np.testing.assert_array_equal(shares["a"], [0.8, 0.3])


# --- all kinds ---


def test_every_task_has_its_kind() -> None:
    assert {"regression": Numbers, "classification": Classes, "tagging": Tags, "clustering": NoTarget} == TARGETS


@pytest.mark.parametrize(
    "target", [Numbers(("a",)), Numbers(("a", "b")), Classes(("y",), ("1", "0")), Tags(("t", "u")), NoTarget()]
)
def test_a_target_survives_json(target: Any) -> None:
    document = TARGET.dump_python(target, mode="json")
    assert document["kind"] == target.kind
    assert document["names"] == list(target.names)
    assert TARGET.validate_python(document) == target
    assert TARGET.validate_json(TARGET.dump_json(target)) == target
    assert type(TARGET.validate_python(document)) is type(target)


def test_a_target_of_no_kind_is_refused() -> None:
    with pytest.raises(ValidationError):
        TARGET.validate_python({"names": ["a"]})
