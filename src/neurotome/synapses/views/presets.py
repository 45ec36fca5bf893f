"""The masks 0 to 13 of SynapseClusterEM by number and name, as expressions.

Its types 5, 9, 10, 11 and 13 see the first cleft label only; the ones with a "c" see both. No preset has the name of an operand
that means something else, so that `cleft` is always the operand.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from neurotome.core import UnknownNameError
from neurotome.synapses.views.algebra import Expression, named, parse
from neurotome.synapses.views.boxes import BOX

__all__ = ["PRESETS", "Preset", "expression_of", "needed_operands", "normalised", "preset_of", "resolve"]


@dataclass(frozen=True)
class Preset:
    """A mask with a number.

    box: "" for the whole crop; "fullest" or "centred" for the part of it in a cube of 25 voxels (see `boxes`), which then lies in
    the middle of what is shown.
    """

    number: str
    name: str
    expression: str
    box: str = ""


_NO_MITOCHONDRIA = "dilate(all_mitochondria, 2)"

PRESETS = {
    preset.number: preset
    for preset in (
        Preset("0", "raw", "all"),
        Preset("1", "presynapse", "pre"),
        Preset("2", "postsynapse", "post"),
        Preset("3", "both sides", "side1 | side2"),
        Preset("4", "vesicles and clefts", "vesicles | cleft | cleft2"),
        Preset("5", "sides, vesicles and cleft", "side1 | side2 | vesicles | cleft"),
        Preset("5c", "sides, vesicles and clefts", "side1 | side2 | vesicles | clefts"),
        Preset("6", "vesicle cloud", "vesicles"),
        Preset("7", "both clefts", "cleft | cleft2"),
        Preset("8", "mitochondrion", "mitochondria"),
        Preset("9", "vesicles and cleft", "vesicles | cleft"),
        Preset("10", "cleft and presynapse", "cleft | pre"),
        Preset("10c", "clefts and presynapse", "clefts | pre"),
        Preset("11", "cleft and presynapse without mitochondria", f"(cleft | pre) - {_NO_MITOCHONDRIA}"),
        Preset("11c", "clefts and presynapse without mitochondria", f"(clefts | pre) - {_NO_MITOCHONDRIA}"),
        Preset("12", "vesicle box", "vesicles", "fullest"),
        Preset("13", "tissue box", f"(vesicles | pre | cleft) - {_NO_MITOCHONDRIA}", "centred"),
    )
}
"""By number."""

_BY_NAME = {preset.name: preset for preset in PRESETS.values()}


def preset_of(mask: str) -> Preset | None:
    """The preset of that number or name, None for an expression. Raises UnknownNameError for a number that no preset has.

    >>> preset_of("11").expression, preset_of("vesicle_cloud").number, preset_of("cleft")
    ('(cleft | pre) - dilate(all_mitochondria, 2)', '6', None)
    """
    text = mask.strip().lower()
    if re.fullmatch(r"\d+[a-z]?", text):
        if text not in PRESETS:
            raise UnknownNameError("mask preset", mask, PRESETS)
        return PRESETS[text]
    return _BY_NAME.get(re.sub(r"[\s_]+", " ", text))


def expression_of(mask: str, names: tuple[str, ...] | None = None) -> Expression:
    """What a preset or an expression stands for; for presets 12 and 13 before their box is cut. As `algebra.parse`."""
    return resolve(mask, names)[0]


def resolve(mask: str, names: tuple[str, ...] | None = None) -> tuple[Expression, str]:
    """The expression of a preset or of an expression, and which box is cut from it ("" for none).

    A name that a crop has for one of its structures means that structure, even if a preset has it too.
    """
    preset = None if mask.strip() in (names or ()) else preset_of(mask)
    return parse(preset.expression if preset else mask, names), preset.box if preset else ""


def normalised(mask: str) -> str:
    """The text that is stored with every result.

    >>> normalised("11c"), normalised("cleft+pre-mito"), normalised("12")
    ('(clefts | pre) - dilate(all_mitochondria, 2)', '(cleft | pre) - mitochondria', 'vesicles, fullest box of 25')
    """
    expression, box = resolve(mask)
    return f"{expression}, {box} box of {BOX}" if box else str(expression)


def needed_operands(mask: str) -> frozenset[str]:
    """Every operand that a preset or an expression names; with "pre" or "post" it says nothing of an undetermined site.

    >>> sorted(needed_operands("11")), sorted(needed_operands("clefts"))
    (['all_mitochondria', 'cleft', 'pre'], ['cleft', 'cleft2'])
    """
    return named(expression_of(mask))
