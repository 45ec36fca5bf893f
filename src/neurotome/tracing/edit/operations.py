"""The table of operations: each is a function (bench, named arguments) -> tree; its signature says what it takes.

Arguments come from Python or from a line of JSON. Either way they are checked against the signature and made plain, so that the
log holds the same text whoever called.
"""

from __future__ import annotations

import inspect
import math
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, get_args, get_type_hints

from neurotome.core import InputError, NeurotomeError, Skeleton, UnknownNameError
from neurotome.core.geometry import Nm3
from neurotome.tracing.edit import nodes, trees
from neurotome.tracing.edit.bridge import bridge
from neurotome.tracing.edit.prune_below import prune_below
from neurotome.tracing.edit.retrace import retrace_from

__all__ = ["HISTORY", "OPERATIONS", "Argument", "Operation", "operation_names", "plain_arguments"]

HISTORY = ("undo", "redo")
"""What only the editor can do, because it holds the past."""


@dataclass(frozen=True)
class Argument:
    """One argument of an operation. type: int, float, bool, Nm3 or a Literal; default: inspect.Parameter.empty if needed."""

    name: str
    type: Any
    default: Any
    optional: bool

    @property
    def required(self) -> bool:
        return self.default is inspect.Parameter.empty

    def plain(self, operation: str, value: Any) -> Any:
        """The value as JSON would hold it. Raises InputError for another type."""
        if value is None and self.optional:
            return None
        made, expected = _PLAIN.get(self.type, (_choice(self.type), _choices(self.type)))
        try:
            return made(value)
        except (TypeError, ValueError, OverflowError) as error:
            raise InputError(f"{operation} got {self.name} {value!r}", expected, f"see the arguments of {operation}") from error


@dataclass(frozen=True)
class Operation:
    """An operation by name. run: its function. about: the first line of its description."""

    name: str
    run: Callable[..., Skeleton]
    arguments: Mapping[str, Argument]
    about: str

    @classmethod
    def of(cls, run: Callable[..., Skeleton]) -> Operation:
        hints = get_type_hints(run)
        named = [p for p in inspect.signature(run).parameters.values() if p.kind is p.KEYWORD_ONLY]
        arguments = {p.name: Argument(p.name, *_without_none(hints[p.name], p.default)) for p in named}
        return cls(run.__name__, run, arguments, (run.__doc__ or "").splitlines()[0])


def operation_names() -> tuple[str, ...]:
    """All that a script may say."""
    return (*OPERATIONS, *HISTORY)


def plain_arguments(operation: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of an operation, checked and plain, in the order of its signature; defaults are not filled in.

    Raises UnknownNameError for an unknown operation or argument, InputError for one that is missing or of another type.

    >>> plain_arguments("move_node", {"point_nm": (1, 2, 3), "node": 5})
    {'node': 5, 'point_nm': [1.0, 2.0, 3.0]}
    """
    if operation not in operation_names():
        raise UnknownNameError("operation", operation, operation_names())
    known = OPERATIONS[operation].arguments if operation in OPERATIONS else {}
    for name in given:
        if name not in known:
            raise _unknown_argument(operation, str(name), known)
    missing = [a.name for a in known.values() if a.required and a.name not in given]
    if missing:
        raise InputError(f"{operation} misses {', '.join(missing)}", _signature(known), f"give {', '.join(missing)}")
    return {name: argument.plain(operation, given[name]) for name, argument in known.items() if name in given}


def _unknown_argument(operation: str, name: str, known: Mapping[str, Argument]) -> NeurotomeError:
    if known:
        return UnknownNameError(f"argument of {operation}", name, known)
    return InputError(f"{operation} got {name}", "no arguments", "leave it out")


def _signature(known: Mapping[str, Argument]) -> str:
    return ", ".join(a.name if a.required else f"[{a.name}]" for a in known.values()) or "no arguments"


def _without_none(hint: Any, default: Any) -> tuple[Any, Any, bool]:
    """Type, default, and whether None is allowed."""
    if isinstance(hint, types.UnionType):
        only = next(part for part in get_args(hint) if part is not type(None))
        return only, default, True
    return hint, default, False


def _whole(value: Any) -> int:
    if isinstance(value, (bool, str)) or int(value) != value:
        raise TypeError
    return int(value)


def _number(value: Any) -> float:
    if isinstance(value, (bool, str)) or not math.isfinite(value):
        raise TypeError
    return float(value)


def _flag(value: Any) -> bool:
    if isinstance(value, bool) or type(value).__name__ == "bool":
        return bool(value)
    raise TypeError


def _point(value: Any) -> list[float]:
    if isinstance(value, (str, Mapping)) or len(value) != 3:
        raise TypeError
    return [_number(v) for v in value]


def _choice(hint: Any) -> Callable[[Any], Any]:
    def chosen(value: Any) -> Any:
        if value not in get_args(hint):
            raise ValueError
        return value

    return chosen


def _choices(hint: Any) -> str:
    return f"one of {', '.join(map(str, get_args(hint)))}"


_PLAIN: Mapping[Any, tuple[Callable[[Any], Any], str]] = {
    int: (_whole, "a whole number"),
    float: (_number, "a finite number"),
    bool: (_flag, "true or false"),
    Nm3: (_point, "three finite numbers in nm (z, y, x)"),
}

OPERATIONS: Mapping[str, Operation] = {
    run.__name__: Operation.of(run)
    for run in (
        nodes.add_node,
        nodes.insert_on_edge,
        nodes.move_node,
        nodes.delete_node,
        trees.cut,
        trees.join,
        trees.reroot,
        nodes.set_type,
        nodes.set_radius,
        nodes.lock,
        nodes.unlock,
        retrace_from,
        bridge,
        trees.accept_jump,
        trees.reject_jump,
        prune_below,
    )
}
