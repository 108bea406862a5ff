import sys
from types import SimpleNamespace

import numpy as np
import pytest

from engine import backend
from engine.errors import DeviceUnavailable


def pretend_cupy(monkeypatch: pytest.MonkeyPatch, card: bool) -> SimpleNamespace:
    cupy = SimpleNamespace(cuda=SimpleNamespace(is_available=lambda: card))
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    monkeypatch.setattr(backend, "find_spec", lambda name: cupy)
    return cupy


def test_cpu_is_numpy() -> None:
    assert backend.namespace("cpu") is np
    assert backend.available("cpu")


def test_cuda_is_cupy_where_there_is_a_card(monkeypatch: pytest.MonkeyPatch) -> None:
    cupy = pretend_cupy(monkeypatch, card=True)
    assert backend.namespace("cuda") is cupy
    assert backend.available("cuda")


def test_cupy_without_a_card_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_cupy(monkeypatch, card=False)
    assert not backend.available("cuda")
    with pytest.raises(DeviceUnavailable, match="no usable CUDA device"):
        backend.namespace("cuda")


def test_without_cupy_cuda_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend, "find_spec", lambda name: None)
    assert not backend.available("cuda")
    with pytest.raises(DeviceUnavailable, match="not installed"):
        backend.namespace("cuda")


def test_an_unknown_device_is_unavailable() -> None:
    with pytest.raises(DeviceUnavailable, match=r"'tpu'.*cpu, cuda"):
        backend.namespace("tpu")


def test_to_host_copies_from_the_card_and_leaves_host_arrays_alone() -> None:
    array = np.arange(3)
    assert backend.to_host(array) is array
    assert backend.to_host(SimpleNamespace(get=lambda: array)) is array
