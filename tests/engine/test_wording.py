"""Sentences made of templates: their English, their other languages, and their JSON."""

import copy
import json
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.wording import Sentence, notice, say, to_documents, to_notices

BACKWARDS = {"{a} before {b}": "{b} after {a}", "in {share:.1%}": "em {share:.1%}", "a": "á"}


def backwards(text: str) -> str:
    return BACKWARDS.get(text, text)


SENTENCES = [
    (say("nothing put in"), "nothing put in"),
    (say("{a} before {b}", a=1, b="x"), "x after 1"),
    (say("{a} before {b}", a=say("a"), b=say("in {share:.1%}", share=0.125)), "em 12,5% after á"),
    (say("{a} before {b}", a=(say("a"), "b"), b=()), " after á, b"),
    (say("in {share:.1%}", share=np.float64(0.5)), "em 50,0%"),
    (say("rate {rate}", rate="0.01"), "rate 0.01"),
    (say("{name}", name="{a} {"), "{a} {"),
    (say("{value:.4g}", value=float("inf")), "inf"),
]


@pytest.mark.parametrize(("sentence", "expected"), SENTENCES, ids=lambda value: str(value))
def test_a_sentence_is_said_in_another_language(sentence: Sentence, expected: str) -> None:
    assert sentence.spoken(backwards, ",") == expected
    assert sentence.spoken(str, ".") == sentence


def test_a_sentence_is_its_english() -> None:
    sentence = say("{rows} of {all} ({share:.1%})", rows=np.int64(3), all=8, share=0.375)
    assert sentence == "3 of 8 (37.5%)"
    assert {sentence: 1}["3 of 8 (37.5%)"] == 1
    assert json.dumps(sentence) == '"3 of 8 (37.5%)"'


@pytest.mark.parametrize("again", [copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))])
@pytest.mark.parametrize(("sentence", "expected"), SENTENCES, ids=lambda value: str(value))
def test_a_copy_can_be_translated_too(sentence: Sentence, expected: str, again: Any) -> None:
    assert again(sentence).spoken(backwards, ",") == expected


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.text(max_size=20) | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.builds(lambda a, b: say("{a} before {b}", a=a, b=b), inner, inner) | st.tuples(inner, inner),
    max_leaves=8,
)


@settings(max_examples=100)
@given(VALUES)
def test_a_notice_comes_back_from_json_as_it_was(value: Any) -> None:
    told = notice("CODE", say("{value}", value=value), column=None)
    (again,) = to_notices(json.loads(json.dumps(to_documents([told]))))
    assert again == told
    assert again["detail"].spoken(backwards, ",") == told["detail"].spoken(backwards, ",")


def test_what_was_stored_without_its_template_stays() -> None:
    stored = [{"code": "CODE", "column": "x", "detail": "as {it} was"}]
    assert to_notices(stored) == stored
    assert to_documents(to_notices(stored)) == stored


def test_a_number_that_is_not_finite_is_stored_as_a_word_and_said() -> None:
    sentence = say("{value:.4g}", value=1.0)
    document = sentence.document() | {"values": {"value": "Infinity"}}  # as the database writes it
    assert Sentence.read(document) == "Infinity"
