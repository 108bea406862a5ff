import numpy as np
import pytest

from engine.randomness import PURPOSES, Shuffles, generator


def draw(seed: int, purpose: str, *index: int) -> tuple[float, ...]:
    return tuple(generator(seed, purpose, *index).random(4).tolist())


def test_the_same_call_gives_the_same_numbers() -> None:
    for purpose in PURPOSES:
        assert draw(3, purpose, 7) == draw(3, purpose, 7)


def test_every_seed_purpose_and_index_has_its_own() -> None:
    calls = [
        (seed, purpose, *index) for seed in (0, 1, 2**53 - 1) for purpose in PURPOSES for index in ((), (0,), (1,), (0, 1))
    ]
    assert len({draw(*call) for call in calls}) == len(calls)


def test_a_purpose_without_a_name_is_none() -> None:
    with pytest.raises(KeyError):
        generator(0, "luck")


def test_what_is_drawn_is_drawn_for_good() -> None:
    """Stored runs are taken up again: another generator, or other numbers for the purposes, would end in other bits."""
    assert PURPOSES == {
        "split": 0,
        "initialization": 1,
        "shuffle": 2,
        "dropout": 3,
        "augmentation": 4,
        "silhouette": 5,
        "permutation": 6,
        "rows": 7,
        "slice": 8,
    }
    assert draw(1, "initialization")[0] == 0.1805903380482211


ROWS = [1, 2, 7, 500, 4096, 5000]


@pytest.mark.parametrize("rows", ROWS)
def test_every_epoch_takes_every_row_once(rows: int) -> None:
    shuffles = Shuffles(0, rows)
    for epoch in range(12):
        assert sorted(shuffles.order(epoch).tolist()) == list(range(rows))


@pytest.mark.parametrize("rows", ROWS)
def test_an_epochs_order_depends_on_the_seed_and_its_number_alone(rows: int) -> None:
    """Whatever was asked for before: a run may be taken up at any epoch."""
    epochs = [0, 1, 8, 9, 600, 3000, 1_000_000]
    forth, back = Shuffles(3, rows), Shuffles(3, rows)
    orders = [forth.order(epoch).tolist() for epoch in epochs]
    assert [back.order(epoch).tolist() for epoch in reversed(epochs)] == orders[::-1]
    assert [Shuffles(3, rows).order(epoch).tolist() for epoch in epochs] == orders
    if rows >= 500:
        others = [Shuffles(4, rows).order(epoch).tolist() for epoch in epochs]
        assert len({str(order) for order in orders + others}) == 2 * len(epochs)


def test_every_place_is_as_likely_for_every_row() -> None:
    shuffles = Shuffles(1, 6)
    counts = np.zeros((6, 6))
    for epoch in range(3000):
        counts[np.arange(6), shuffles.order(epoch)] += 1
    assert np.abs(counts - 500).max() < 5 * np.sqrt(500)
