"""The language of masks: which voxels of a crop are shown, written with the names of what is in it.

    expression   sum  { "|" sum }                                  union, binds least
    sum          piece { ("&" | "-" | "+") piece }                 left to right: both, without, union
    piece        "~" piece | "(" expression ")" | operand | call
    call         ("dilate" | "erode" | "box") "(" expression "," whole number ")" | "near" "(" expression "," nanometres ")"

`+` and `|` are the same union at two levels: "cleft + pre - dilate(mito, 2)" takes the mitochondria out of both, while
"cleft | pre - dilate(mito, 2)" takes them out of pre alone. Normalised text has `|` and parentheses instead of `+`.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field
from functools import lru_cache

from neurotome.core import InputError
from neurotome.core.crops import OPERANDS

__all__ = ["ALIASES", "UNIONS", "Call", "Expression", "ExpressionError", "Not", "Operand", "Pair", "named", "parse", "wanted"]

ALIASES = {
    "mito": "mitochondria",
    "mitochondrion": "mitochondria",
    "all_mito": "all_mitochondria",
    "presynapse": "pre",
    "postsynapse": "post",
    "vesicle_cloud": "vesicles",
}
"""Other names of operands. A legend that has such a name means its own structure by it."""

UNIONS = {"clefts": ("cleft", "cleft2"), "all_clefts": ("all_cleft", "all_cleft2")}
"""Operands that are not stored in a crop but made of two that are."""

_FUNCTIONS = {"dilate": "rounds", "erode": "rounds", "box": "voxels", "near": "nanometres"}
_TOKEN = re.compile(r"\s*(?:(?P<number>[0-9]+(?:\.[0-9]*)?|\.[0-9]+)|(?P<name>[^\W\d]\w*)|(?P<sign>[-~&|+(),]))")
_BINDS = {"|": 1, "-": 2, "&": 2}
_TIGHTEST = 3
_MOST_TOKENS = 300
_DEEPEST = 50


class ExpressionError(InputError):
    """A mask that cannot be read; the message ends with the expression and a caret below the place."""

    def __init__(self, given: str, expected: str, remedy: str, text: str, position: int) -> None:
        self.text, self.position = text, position
        super().__init__(given, expected, remedy)

    def __str__(self) -> str:
        line = "".join(" " if character.isspace() else character for character in self.text)
        return f"{super().__str__()}\n    {line}\n    {' ' * self.position}^"

    def __reduce__(self) -> tuple[type, tuple[str, str, str, str, int]]:  # type: ignore[override]
        return type(self), (self.given, self.expected, self.remedy, self.text, self.position)


@dataclass(frozen=True)
class Operand:
    """Something that is known of each voxel."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Not:
    """All voxels that are not in it."""

    inner: Expression

    def __str__(self) -> str:
        return f"~{_bracketed(self.inner, _TIGHTEST)}"


@dataclass(frozen=True)
class Pair:
    """Two masks joined by one of `|`, `&`, `-`."""

    sign: str
    left: Expression
    right: Expression

    def __str__(self) -> str:
        binds = _BINDS[self.sign]
        return f"{_bracketed(self.left, binds)} {self.sign} {_bracketed(self.right, binds + 1)}"


@dataclass(frozen=True)
class Call:
    """A function of a mask and a number."""

    function: str
    inner: Expression
    amount: float

    def __str__(self) -> str:
        return f"{self.function}({self.inner}, {self.amount:.12g})"


Expression = Operand | Not | Pair | Call


def parse(text: str, names: tuple[str, ...] | None = None) -> Expression:
    """The expression a text stands for; its `str` is the normalised text.

    names: the operands that a crop has, besides "all" and `UNIONS`. None: `OPERANDS`, and any other name as one of a legend.
    Raises ExpressionError, with a caret, for what does not follow the grammar or names none of them.

    >>> str(parse("cleft + pre - dilate(mito, 2)"))
    '(cleft | pre) - dilate(mitochondria, 2)'
    >>> print(parse("cleft & (pre"))
    Traceback (most recent call last):
    neurotome.synapses.views.algebra.ExpressionError: The mask ends too early. Expected: ')'. Remedy: change the expression.
        cleft & (pre
                    ^
    """
    return _parse(text, names)


@lru_cache(maxsize=512)
def _parse(text: str, names: tuple[str, ...] | None) -> Expression:
    reader = _Reader(text, names)
    whole = reader.union(0)
    if reader.sign is not None or reader.kind != "end":
        reader.refuse("one of | & - + or the end")
    return whole


def named(expression: Expression) -> frozenset[str]:
    """Every operand in it; "clefts" counts as the two it is made of.

    >>> sorted(named(parse("clefts - dilate(all_mito, 2)")))
    ['all_mitochondria', 'cleft', 'cleft2']
    """
    return wanted(expression) | _unwanted(expression)


def wanted(expression: Expression) -> frozenset[str]:
    """The operands that can add voxels to it; not those it only takes away.

    >>> sorted(wanted(parse("(cleft | pre) - dilate(all_mito, 2)")))
    ['cleft', 'pre']
    """
    match expression:
        case Operand(name):
            return frozenset(UNIONS.get(name, (name,)))
        case Not(inner):
            return _unwanted(inner)
        case Pair("-", left, right):
            return wanted(left) | _unwanted(right)
        case Pair(_, left, right):
            return wanted(left) | wanted(right)
        case Call(_, inner, _):
            return wanted(inner)
    raise TypeError(type(expression))


def _unwanted(expression: Expression) -> frozenset[str]:
    match expression:
        case Not(inner):
            return wanted(inner)
        case Pair("-", left, right):
            return _unwanted(left) | wanted(right)
        case Pair(_, left, right):
            return _unwanted(left) | _unwanted(right)
        case Call(_, inner, _):
            return _unwanted(inner)
    return frozenset()


def _bracketed(expression: Expression, binds: int) -> str:
    loose = isinstance(expression, Pair) and _BINDS[expression.sign] < binds
    return f"({expression})" if loose else str(expression)


@dataclass
class _Reader:
    """Reads a text from left to right; `kind`, `word` and `position` are those of the token that comes next."""

    text: str
    names: tuple[str, ...] | None
    kind: str = ""
    word: str = ""
    position: int = 0
    _end: int = field(default=0, repr=False)
    _tokens: int = field(default=0, repr=False)

    def __post_init__(self) -> None:
        self.advance()

    @property
    def sign(self) -> str | None:
        return self.word if self.kind == "sign" else None

    def advance(self) -> str:
        taken, self._tokens = self.word, self._tokens + 1
        if self._tokens > _MOST_TOKENS:
            self._refuse(f"A mask of more than {_MOST_TOKENS} words and signs", "a shorter one", "change the expression")
        found = _TOKEN.match(self.text, self._end)
        if found:
            self.kind, self.word = str(found.lastgroup), found[str(found.lastgroup)]
            self.position, self._end = found.start(str(found.lastgroup)), found.end()
        else:
            self.position = self._end + len(self.text[self._end :]) - len(self.text[self._end :].lstrip())
            self.kind, self.word = ("end", "") if self.position == len(self.text) else ("other", self.text[self.position])
        return taken

    def union(self, depth: int) -> Expression:
        left = self.sum(depth)
        while self.sign == "|":
            self.advance()
            left = Pair("|", left, self.sum(depth))
        return left

    def sum(self, depth: int) -> Expression:
        left = self.piece(depth)
        while self.sign in ("&", "-", "+"):
            sign = self.advance()
            left = Pair("|" if sign == "+" else sign, left, self.piece(depth))
        return left

    def piece(self, depth: int) -> Expression:
        if depth > _DEEPEST:
            self._refuse(f"A mask nested more than {_DEEPEST} deep", "a simpler one", "change the expression")
        if self.sign == "~":
            self.advance()
            return Not(self.piece(depth + 1))
        if self.sign == "(":
            self.advance()
            inner = self.union(depth + 1)
            self.take(")")
            return inner
        if self.kind != "name":
            self.refuse("an operand, '~', '(' or one of dilate, erode, near, box")
        return self.call(depth) if self.word in _FUNCTIONS and self._opens() else self.operand()

    def operand(self) -> Operand:
        known = {"all", *UNIONS, *(self.names or OPERANDS)}
        name = self.word if self.word in known or self.word in (self.names or ()) else ALIASES.get(self.word, self.word)
        if name not in known and (self.names is not None or self.word in _FUNCTIONS):
            close = difflib.get_close_matches(self.word, sorted(known | ALIASES.keys()), n=1, cutoff=0.4)
            remedy = f"did you mean '{close[0]}'" if close else "take one of them, or add it to the legend"
            self._refuse(f"Unknown operand '{self.word}' in the mask", f"one of {', '.join(sorted(known))}", remedy)
        self.advance()
        return Operand(name)

    def call(self, depth: int) -> Call:
        function = self.advance()
        self.take("(")
        inner = self.union(depth + 1)
        self.take(",")
        whole = function != "near"
        if (
            self.kind != "number"
            or (whole and not self.word.isdecimal())
            or (function in ("near", "box") and not float(self.word))
        ):
            self.refuse(f"{'a whole number of' if whole else 'a number of'} {_FUNCTIONS[function]}")
        amount = float(self.advance())
        self.take(")")
        return Call(function, inner, amount)

    def take(self, sign: str) -> None:
        if self.sign != sign:
            self.refuse(f"'{sign}'")
        self.advance()

    def refuse(self, expected: str) -> None:
        given = "The mask ends too early" if self.kind == "end" else f"'{self.word}' at character {self.position + 1} of the mask"
        self._refuse(given, expected, "change the expression")

    def _refuse(self, given: str, expected: str, remedy: str) -> None:
        raise ExpressionError(given, expected, remedy, self.text, self.position)

    def _opens(self) -> bool:
        return self.text[self._end :].lstrip().startswith("(")
