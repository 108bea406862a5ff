"""What differs between documents, at the place where it does."""

from hypothesis import given
from hypothesis import strategies as st

from engine.training.differences import differing

ONE = {"rate": 0.1, "stop": None, "features": ["a", "b"], "layers": [{"units": 8, "bias": True}], "kind": {"kind": "sgd"}}
OTHER = {
    "rate": 0.1,
    "stop": {"patience": 3},
    "features": ["b"],
    "layers": [{"units": 8, "bias": 1}, {"units": 2}],
    "kind": {"kind": "adam", "a/b": 0.9},
}


def test_only_what_differs_is_told_where_it_does() -> None:
    assert dict(differing({"one": ONE, "other": OTHER})) == {
        "/stop": {"one": None, "other": {"patience": 3}},
        "/features": {"one": ["a", "b"], "other": ["b"]},
        "/layers/0/bias": {"one": True, "other": 1},
        "/layers/1": {"other": {"units": 2}},
        "/kind/kind": {"one": "sgd", "other": "adam"},
        "/kind/a~1b": {"other": 0.9},
    }
    assert list(differing({"one": ONE})) == []
    assert list(differing({"one": {"a": 1}, "two": {"a": 1.0}, "three": {"a": 1}})) == []


leaves = st.none() | st.booleans() | st.integers(0, 2) | st.sampled_from(["x", "y"])
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("de/"), inner), max_leaves=6
)
documents = st.dictionaries(st.sampled_from("abc"), values, max_size=3)


@given(documents, documents)
def test_taking_over_what_differs_makes_one_the_other(one: dict, other: dict) -> None:
    found = dict(differing({"one": one, "other": other}))
    assert found == dict(differing({"other": other, "one": one}))
    for pointer, told in found.items():
        at = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
        for name, document in (("one", one), ("other", other)):
            assert there(document, at) == ([told[name]] if name in told else [])
    assert not found or repr(one) != repr(other)
    if not found:
        assert one == other


def there(document: object, at: list[str]) -> list[object]:
    """What the document holds at that place, in a list; nothing where it has no such place."""
    for part in at:
        if isinstance(document, dict) and part in document:
            document = document[part]
        elif isinstance(document, list) and part.isdecimal() and int(part) < len(document):
            document = document[int(part)]
        else:
            return []
    return [document]
