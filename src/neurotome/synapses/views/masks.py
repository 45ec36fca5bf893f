"""Expressions worked out on one crop; what several of them share is worked out once."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from neurotome.core import Crop
from neurotome.synapses.views.algebra import UNIONS, Call, Expression, Not, Operand, Pair
from neurotome.synapses.views.boxes import fullest_box, inside
from neurotome.synapses.views.neighbourhood import dilated, eroded, within
from neurotome.synapses.views.presets import expression_of

__all__ = ["Masks", "evaluate"]


def evaluate(mask: str, crop: Crop) -> np.ndarray:
    """Where a preset (without its box) or an expression is true in a crop, bool (s, s, s).

    Raises ExpressionError if it does not follow the grammar or names what the crop does not know.
    """
    return Masks(crop)(expression_of(mask, crop.names))


class Masks:
    """All expressions on one crop. Arrays that it gives are read-only, because others are made from them.

    replaced: arrays that stand for an operand instead of what the crop says.
    """

    def __init__(self, crop: Crop, replaced: Mapping[str, np.ndarray] | None = None) -> None:
        self._crop = crop
        self._known: dict[Expression, np.ndarray] = {}
        for name, mask in (replaced or {}).items():
            self._keep(Operand(name), mask)

    def __call__(self, expression: Expression) -> np.ndarray:
        found = self._known.get(expression)
        return self._keep(expression, self._work_out(expression)) if found is None else found

    def _keep(self, expression: Expression, mask: np.ndarray) -> np.ndarray:
        mask.flags.writeable = False
        self._known[expression] = mask
        return mask

    def _work_out(self, expression: Expression) -> np.ndarray:
        match expression:
            case Operand("all"):
                return np.ones(self._crop.bits.shape, bool)
            case Operand(name) if name in UNIONS:
                first, second = UNIONS[name]
                return self(Operand(first)) | self(Operand(second))
            case Operand(name):
                return self._crop.operand(name)
            case Not(inner):
                return ~self(inner)
            case Pair("|", left, right):
                return self(left) | self(right)
            case Pair("&", left, right):
                return self(left) & self(right)
            case Pair(_, left, right):
                # Of two booleans "greater" is "the first without the second", in one pass.
                return self(left) > self(right)
            case Call() if str(expression) in self._crop.names:
                # Cut with the crop, from tissue around it too: what lies outside also reaches into it.
                return self._crop.operand(str(expression))
            case Call(function, inner, amount):
                return self._call(function, self(inner), amount)
        raise TypeError(type(expression))

    def _call(self, function: str, mask: np.ndarray, amount: float) -> np.ndarray:
        if function == "near":
            return within(mask, amount, self._crop.voxel_nm)
        if function == "box":
            corner, _ = fullest_box(mask, int(amount))
            boxed = np.zeros_like(mask)
            inside(boxed, corner, int(amount))[:] = inside(mask, corner, int(amount))
            return boxed
        return (dilated if function == "dilate" else eroded)(mask, int(amount))
