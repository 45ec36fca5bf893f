"""The numbers of a text of plain lines, read at the speed of its bytes: blanks between numbers, # before comments.

A number is plain when its digits, read without the point, are at most 2^53 and its power of ten at most 22: both are exact floats
then, and their product or quotient is rounded once, to the float nearest to what is written (Clinger 1990). What is not plain
is left to other parsers, so there is no message here.
"""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["plain_numbers"]

_TAB, _NEWLINE, _SPACE, _HASH, _PLUS, _MINUS, _POINT, _ZERO, _NINE, _E, _SMALL_E = (ord(sign) for sign in "\t\n #+-.09Ee")
_TENS = 10.0 ** np.arange(23)
_MOST_DIGITS = 16


def plain_numbers(text: str, columns: int) -> np.ndarray | None:
    """(n, columns) float64, one row per line that holds any; None where a number is not plain, or a line has fewer of them.

    Of longer lines only the first seven fields count, whatever the others hold; with fewer columns there are no longer lines.

    >>> plain_numbers("# a\\n1 2.5 # b\\n\\n-3e1\\t.25", 2).tolist(), plain_numbers("1 2\\n3", 2), plain_numbers("1 nan", 2)
    ([[1.0, 2.5], [-30.0, 0.25]], None, None)
    """
    values = np.empty((text.count("\n") + 1, columns))
    rows = _fill(np.frombuffer(text.encode(), np.uint8), values)
    return values[:rows] if rows >= 0 else None


@njit(cache=True)
def _fill(content: np.ndarray, values: np.ndarray) -> int:
    """Fill one row of values per line, and count them; -1 where something else comes up."""
    size, columns = len(content), values.shape[1]
    rows, column, at = 0, 0, 0
    while at <= size:
        if at < size and (content[at] == _SPACE or content[at] == _TAB):
            at += 1
            continue
        if at == size or content[at] == _HASH or content[at] == _NEWLINE or column == 7:
            while at < size and content[at] != _NEWLINE:
                at += 1
            if 0 < column < columns:
                return -1
            rows += column > 0
            column = 0
            at += 1
            continue
        value, at = _number(content, at)
        if at < 0 or column == columns:
            return -1
        values[rows, column] = value
        column += 1
    return rows


@njit(cache=True)
def _number(content: np.ndarray, at: int) -> tuple[float, int]:
    """The number that begins here, and where it ends; an end of -1 where it is not plain."""
    size = len(content)
    negative = content[at] == _MINUS
    if negative or content[at] == _PLUS:
        at += 1
    digits, significant, seen, power, point = 0, 0, 0, 0, False
    while at < size and significant <= _MOST_DIGITS:
        if _ZERO <= content[at] <= _NINE:
            digits = digits * 10 + int(content[at] - _ZERO)
            significant += digits > 0
            seen += 1
            power -= point
        elif content[at] == _POINT and not point:
            point = True
        else:
            break
        at += 1
    if at < size and (content[at] == _E or content[at] == _SMALL_E):
        exponent, at = _exponent(content, at + 1)
        power += exponent
    ended = at == size or content[at] == _SPACE or content[at] == _TAB or content[at] == _NEWLINE or content[at] == _HASH
    if at < 0 or not ended or seen == 0 or digits > 2**53 or abs(power) > 22:
        return 0.0, -1
    value = digits * _TENS[power] if power >= 0 else digits / _TENS[-power]
    return -value if negative else value, at


@njit(cache=True)
def _exponent(content: np.ndarray, at: int) -> tuple[int, int]:
    """The power of ten that begins here, and where it ends; an end of -1 where there is none."""
    down = at < len(content) and content[at] == _MINUS
    if at < len(content) and (down or content[at] == _PLUS):
        at += 1
    begin, power = at, 0
    while at < len(content) and at - begin < 4 and _ZERO <= content[at] <= _NINE:
        power = power * 10 + int(content[at] - _ZERO)
        at += 1
    return -power if down else power, at if at > begin else -1
