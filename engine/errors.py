"""Errors of the engine, each with a code and, where the caller can mend it, the fields that it is about.

EngineError
├── InputError            the caller can mend it: pointers to the fields that were given
│   ├── InvalidSpec       INVALID_SPEC
│   ├── UnusableData      UNUSABLE_DATA
│   ├── EmptySplit        EMPTY_SPLIT
│   ├── TooMuchMemory     TOO_MUCH_MEMORY
│   ├── TooMuchWork       TOO_MUCH_WORK
│   ├── DeviceUnavailable DEVICE_UNAVAILABLE, always at /device
│   └── Diverged          DIVERGED
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import ClassVar


class EngineError(Exception):
    """The root. `code` is the problem's name for programs."""

    code: ClassVar[str] = "ENGINE_ERROR"


class InputError(EngineError):
    """Something that was given cannot be used: `errors` are pairs of a JSON pointer to a field and what to do about it."""

    code: ClassVar[str] = "BAD_INPUT"

    def __init__(self, errors: Iterable[tuple[str, str]]) -> None:
        self.errors = list(errors)
        super().__init__(self.errors)

    def __str__(self) -> str:
        return "; ".join(detail for _, detail in self.errors)


class InvalidSpec(InputError):
    """A spec that contradicts itself or means nothing for the chosen model."""

    code: ClassVar[str] = "INVALID_SPEC"


class UnusableData(InputError):
    """Data that cannot be trained on as asked: a missing column, text where numbers are needed, too few rows."""

    code: ClassVar[str] = "UNUSABLE_DATA"


class EmptySplit(InputError):
    """A share of the rows that is asked for comes to none of them, or leaves none to train on."""

    code: ClassVar[str] = "EMPTY_SPLIT"


class TooMuchMemory(InputError):
    """Training would take more memory than a job may, by an estimate from its shapes."""

    code: ClassVar[str] = "TOO_MUCH_MEMORY"


class TooMuchWork(InputError):
    """One call asks for more computing than a call may."""

    code: ClassVar[str] = "TOO_MUCH_WORK"


class DeviceUnavailable(InputError):
    """The asked-for device is not in this machine."""

    code: ClassVar[str] = "DEVICE_UNAVAILABLE"
    pointer: ClassVar[str] = "/device"

    def __init__(self, detail: str) -> None:
        super().__init__([(self.pointer, detail)])
        self.args = (detail,)  # what pickle makes it anew from


class Diverged(InputError):
    """Training left the finite numbers, or all reason, by the request's settings: `learning_rate` is the one that `epoch`
    went by.
    """

    code: ClassVar[str] = "DIVERGED"

    def __init__(
        self, epoch: int, learning_rate: float, detail: str | None = None, pointer: str = "/optimizer/learning_rate"
    ) -> None:
        self.epoch = epoch
        self.learning_rate = learning_rate
        self.detail = detail or (
            f"The loss is no longer a finite number in epoch {epoch}, at a learning rate of {learning_rate:g}. "
            f"{self.advice(learning_rate)}"
        )
        super().__init__([(pointer, self.detail)])
        self.args = (epoch, learning_rate, self.detail, pointer)  # what pickle makes it anew from

    @staticmethod
    def advice(learning_rate: float) -> str:
        return f"Try a learning rate of {learning_rate / 10:g}, scale the features, or set regularization.clip_norm."


@contextmanager
def within(field: str, but: str | None = None) -> Iterator[None]:
    """A context in which the errors of an input are about fields within that one, but for a field that stands beside it."""
    try:
        yield
    except InputError as error:
        error.errors = [(at if at == f"/{but}" else f"/{field}{at}", detail) for at, detail in error.errors]
        raise
