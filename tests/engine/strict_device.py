"""A stand-in for CuPy where there is no card: NumPy's arithmetic, CuPy's signatures, and more refusals than CuPy has.

Whatever is not listed here is not offered. The signatures are those that CuPy 13.6 and 14.2 have in common, as read from
both packages; tests/gpu holds them against the CuPy at hand. Refused beyond CuPy, which would do it and wait for the card
or copy behind one's back: float(), bool(), int(), iteration, NumPy's functions on a device array, masks and host arrays as
an index, host arrays assigned to a slice, scalars assigned to chosen elements, and NumPy scalars of another type than the
array's, on which 13 and 14 differ. Floats that were never written are not numbers.
"""

import inspect
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

FUNCTIONS = """
empty(shape, dtype=float, order='C')
zeros(shape, dtype=float, order='C')
ones(shape, dtype=float, order='C')
full(shape, fill_value, dtype=None, order='C')
empty_like(prototype, dtype=None, order='K', subok=None, shape=None)
zeros_like(a, dtype=None, order='K', subok=None, shape=None)
ones_like(a, dtype=None, order='K', subok=None, shape=None)
arange(start, stop=None, step=1, dtype=None)
take(a, indices, axis=None, out=None)
where(condition, x=None, y=None)
clip(a, a_min, a_max, out=None)
matmul(*args, out=None)
dot(a, b, out=None)
einsum(*operands, **kwargs)
sum(a, axis=None, dtype=None, out=None, keepdims=False)
mean(a, axis=None, dtype=None, out=None, keepdims=False)
max(a, axis=None, out=None, keepdims=False)
min(a, axis=None, out=None, keepdims=False)
argmax(a, axis=None, dtype=None, out=None, keepdims=False)
count_nonzero(a, axis=None)
concatenate(tup, axis=0, out=None, *, dtype=None, casting='same_kind')
"""
METHODS = """
sum(self, axis=None, dtype=None, out=None, keepdims=False)
mean(self, axis=None, dtype=None, out=None, keepdims=False)
max(self, axis=None, out=None, keepdims=False)
min(self, axis=None, out=None, keepdims=False)
argmax(self, axis=None, out=None, dtype=None, keepdims=False)
astype(self, dtype, order='K', casting=None, subok=None, copy=True)
copy(self, order='C')
dot(self, b, out=None)
ravel(self, order='C')
reshape(self, *shape, order='C')
take(self, indices, axis=None, out=None)
transpose(self, *axes)
"""
SPECIAL = """
array(obj, dtype=None, copy=True, order='K', subok=False, ndmin=0, *, blocking=False)
asarray(a, dtype=None, order=None, *, blocking=False)
copyto(dst, src, casting='same_kind', where=None)
finfo(dtype)
lib.stride_tricks.as_strided(x, shape=None, strides=None)
"""
UNARY = (
    "absolute", "negative", "reciprocal", "sign", "square", "sqrt", "exp", "expm1", "log", "log1p", "tanh", "isfinite", "isnan",
    "logical_not",
)  # fmt: skip
BINARY = (
    "add", "subtract", "multiply", "divide", "power", "maximum", "minimum", "greater", "greater_equal", "less", "less_equal",
    "equal", "not_equal", "logical_and", "logical_or",
)  # fmt: skip
OPERATORS = {
    "add": "add", "sub": "subtract", "mul": "multiply", "truediv": "divide", "pow": "power", "matmul": "matmul",
    "gt": "greater", "ge": "greater_equal", "lt": "less", "le": "less_equal", "eq": "equal", "ne": "not_equal",
    "neg": "negative", "abs": "absolute",
}  # fmt: skip
REFUSED = ("array", "bool", "int", "float", "complex", "index", "iter", "contains", "array_function")


def signatures(table: str) -> dict[str, inspect.Signature]:
    """Each line's name with its parameters."""
    lines = [line.split("(", 1) for line in table.split("\n") if line]
    return {name: inspect.signature(eval(f"lambda {rest.removesuffix(')')}: None")) for name, rest in lines}


class Card:
    """The namespace. `sent` and `fetched` hold the bytes of every transfer to the card and from it, in their order."""

    def __init__(self) -> None:
        self.sent: list[int] = []
        self.fetched: list[int] = []
        self.lib = SimpleNamespace(stride_tricks=SimpleNamespace(as_strided=self._as_strided))
        for name, signature in signatures(FUNCTIONS).items():
            setattr(self, name, self._function(name, signature))
        for name in (*UNARY, *BINARY):
            setattr(self, name, self._ufunc(name, 1 if name in UNARY else 2))

    def asarray(self, a: Any, dtype: Any = None, order: Any = None, *, blocking: bool = False) -> "DeviceArray":
        if isinstance(a, DeviceArray) and dtype in (None, a.dtype):
            return self._own(a)
        return self.array(a, dtype)

    def array(
        self, obj: Any, dtype: Any = None, copy: bool = True, order: str = "K", subok: bool = False, ndmin: int = 0,
        *, blocking: bool = False,
    ) -> "DeviceArray":  # fmt: skip
        if isinstance(obj, np.ndarray):
            self.sent.append(obj.nbytes)
        elif not isinstance(obj, DeviceArray):
            raise TypeError(f"a transfer of {type(obj).__name__} is hidden: make it an array first")
        return self._put(np.array(self._bare(obj, hosts=True), dtype, ndmin=ndmin))

    def copyto(self, dst: "DeviceArray", src: Any, casting: str = "same_kind", where: Any = None) -> None:
        np.copyto(self._own(dst).values, self._bare(src), casting=casting, where=True if where is None else self._bare(where))

    def finfo(self, dtype: Any) -> Any:
        return np.finfo(dtype)

    def _as_strided(self, x: "DeviceArray", shape: Any = None, strides: Any = None) -> "DeviceArray":
        return DeviceArray(self, as_strided(self._own(x).values, shape, strides))

    def _own(self, array: Any) -> "DeviceArray":
        if not isinstance(array, DeviceArray):
            raise TypeError(f"Unsupported type {type(array)}")
        assert array.card is self, "two cards"
        return array

    def _bare(self, value: Any, hosts: bool = False) -> Any:
        """What NumPy is handed for an argument; host arrays and sequences of numbers are refused."""
        if isinstance(value, DeviceArray):
            return self._own(value).values
        if isinstance(value, np.generic | bool | int | float) or (hosts and isinstance(value, np.ndarray)):
            return value
        raise TypeError(f"Unsupported type {type(value)}")

    def _put(self, result: Any) -> "DeviceArray":
        """The result as a device array: of no dimensions where NumPy gives a scalar."""
        array = np.asarray(result)
        if array.dtype.kind not in "biuf":
            raise ValueError(f"Unsupported dtype {array.dtype}")
        return DeviceArray(self, array)

    def _written(self, result: Any, out: Any) -> "DeviceArray":
        if out is None:
            return self._put(result)
        result, target = np.asarray(result), self._own(out).values
        if result.dtype != target.dtype:
            raise TypeError(f"Output dtype mismatch: {result.dtype} into {target.dtype}")
        if result.shape != target.shape:
            raise ValueError(f"Output shape mismatch: {result.shape} into {target.shape}")
        target[...] = result
        return out

    def _ufunc(self, name: str, inputs: int) -> Callable[..., "DeviceArray"]:
        function = getattr(np, name)

        def ufunc(*args: Any, out: Any = None, casting: str = "same_kind", dtype: Any = None) -> DeviceArray:
            if len(args) == inputs + 1 and out is None:
                *args, out = args
            if len(args) != inputs:
                raise TypeError(f"{name} takes {inputs} arguments, not {len(args)}")
            bare = [self._bare(arg) for arg in args]
            types = {value.dtype for value in bare if isinstance(value, np.ndarray)}
            if any(isinstance(value, np.generic) and value.dtype not in types for value in bare):
                raise TypeError(f"{name}: a NumPy scalar of another type than the arrays'")
            into = None if out is None else self._own(out).values
            if into is not None and into.shape != np.broadcast_shapes(*(np.shape(value) for value in bare)):
                raise ValueError("Out shape is mismatched")
            with np.errstate(all="ignore"):
                result = function(*bare, out=into, casting=casting, dtype=dtype)
            return self._put(result) if out is None else out

        ufunc.__doc__ = f"{name}({'x' if inputs == 1 else 'x1, x2'}, /, out=None, \\*, casting='same_kind', dtype=None)"
        return ufunc

    def _function(self, name: str, signature: inspect.Signature) -> Callable[..., Any]:
        def function(*args: Any, **kwargs: Any) -> DeviceArray:
            given = signature.bind(*args, **kwargs)
            out = given.arguments.pop("out", None)
            if name == "einsum" and set(kwargs) - {"dtype", "optimize"}:
                raise TypeError(f"Did not understand the following kwargs: {list(kwargs)}")
            if name == "where" and len(given.arguments) != 3:
                raise TypeError("the length of the result is known on the card alone")
            passed = [self._passed(parameter) for parameter in given.args]
            named = {key: self._passed(parameter) for key, parameter in given.kwargs.items()}
            with np.errstate(all="ignore"):
                result = self._written(getattr(np, name)(*passed, **named), out)
            if name in ("empty", "empty_like") and result.dtype.kind == "f":
                result.values.fill(np.nan)  # what was not written is not to be read
            return result

        function.__signature__ = signature  # type: ignore[attr-defined]
        return function

    def _passed(self, parameter: Any) -> Any:
        """An argument that may also be a shape, a type, an axis, subscripts or a tuple of arrays."""
        if isinstance(parameter, list | tuple):
            return type(parameter)(self._passed(item) for item in parameter)
        if parameter is None or isinstance(parameter, type | np.dtype | str):
            return parameter
        return self._bare(parameter)


class DeviceArray:
    """An array on the card: `values` is what only the stand-in looks at."""

    __slots__ = ("card", "values")
    __array_ufunc__ = None  # NumPy's arrays and functions leave it to us, who refuse
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, card: Card, values: np.ndarray) -> None:
        self.card, self.values = card, values

    shape = property(lambda self: self.values.shape)
    ndim = property(lambda self: self.values.ndim)
    size = property(lambda self: self.values.size)
    dtype = property(lambda self: self.values.dtype)
    strides = property(lambda self: self.values.strides)
    itemsize = property(lambda self: self.values.itemsize)
    nbytes = property(lambda self: self.values.nbytes)
    T = property(lambda self: DeviceArray(self.card, self.values.T))

    def __len__(self) -> int:
        return len(self.values)

    def __repr__(self) -> str:
        return f"<{self.dtype} {self.shape} on the card>"

    def get(self, stream: Any = None, order: str = "C", out: Any = None, blocking: bool = True) -> np.ndarray:
        self.card.fetched.append(self.nbytes)
        return np.array(self.values, order="C")

    def item(self) -> Any:
        return self.get().item()

    def tolist(self) -> Any:
        return self.get().tolist()

    def fill(self, value: Any) -> None:
        self.values.fill(self.card._bare(value))

    def __getitem__(self, index: Any) -> "DeviceArray":
        return DeviceArray(self.card, self.values[self._index(index)])

    def __setitem__(self, index: Any, value: Any) -> None:
        parts = index if isinstance(index, tuple) else (index,)
        if any(isinstance(part, DeviceArray) for part in parts) and not isinstance(value, DeviceArray):
            raise TypeError("a scalar for chosen elements is sent to the card first")
        with np.errstate(all="ignore"):
            self.values[self._index(index)] = self.card._bare(value)

    def _index(self, index: Any) -> tuple[Any, ...]:
        """As NumPy takes it, with an ellipsis, so that one element is an array of no dimensions, as on a card."""
        parts = list(index) if isinstance(index, tuple) else [index]
        for place, part in enumerate(parts):
            if isinstance(part, DeviceArray):
                if part.dtype.kind not in "iu":
                    raise TypeError("a mask's length is known on the card alone")
                parts[place] = self.card._own(part).values
            elif not (part is None or part is Ellipsis or isinstance(part, slice | int | np.integer)):
                raise TypeError(f"Unsupported index {type(part)}")
        return (*parts,) if any(part is Ellipsis for part in parts) else (*parts, Ellipsis)


def _method(name: str, signature: inspect.Signature) -> Callable[..., Any]:
    def method(*args: Any, **kwargs: Any) -> DeviceArray:
        given = signature.bind(*args, **kwargs)
        array, out = given.arguments.pop("self"), given.arguments.pop("out", None)
        card = array.card
        named = {key: card._passed(given.arguments.pop(key)) for key in list(given.arguments) if key not in ("shape", "axes")}
        places = [place for group in given.arguments.values() for place in group]
        with np.errstate(all="ignore"):
            return card._written(getattr(array.values, name)(*places, **named), out)

    method.__signature__ = signature  # type: ignore[attr-defined]
    return method


def _operator(name: str, reverse: bool = False, inplace: bool = False) -> Callable[..., Any]:
    def operator(*operands: DeviceArray) -> DeviceArray:
        function = getattr(operands[0].card, name)
        return function(*reversed(operands)) if reverse else function(*operands, **({"out": operands[0]} if inplace else {}))

    return operator


def _refusal(name: str) -> Callable[..., Any]:
    def refuse(self: DeviceArray, *args: Any, **kwargs: Any) -> Any:
        raise TypeError(f"Implicit conversion to the host is not allowed ({name}): please use `.get()`.")

    return refuse


for _name, _signature in signatures(METHODS).items():
    setattr(DeviceArray, _name, _method(_name, _signature))
for _name, _function in OPERATORS.items():
    setattr(DeviceArray, f"__{_name}__", _operator(_function))
    if _name in ("add", "sub", "mul", "truediv", "pow", "matmul"):
        setattr(DeviceArray, f"__r{_name}__", _operator(_function, reverse=True))
        setattr(DeviceArray, f"__i{_name}__", _operator(_function, inplace=True))
for _name in REFUSED:
    setattr(DeviceArray, f"__{_name}__", _refusal(f"__{_name}__"))
