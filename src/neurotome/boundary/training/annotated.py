"""An image with what is known about it, in memory: where training samples are cut out of."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

import fastremap
import numpy as np

from neurotome.boundary.targets import Known
from neurotome.core import Box, Image, InputError, Labels, ShapeError, UnknownNameError, ValueRangeError
from neurotome.nn import Draw, section_scale

__all__ = ["AnnotatedVolume", "Window", "polarity_fault", "require_two_values"]

_log = logging.getLogger(__name__)

MOST_CLASSES = 30
TRUTHS = ("instances", "inside", "membrane", "classes", "grey")


@dataclass(frozen=True, eq=False)
class Window:
    """A sample: normalised sections (n, side, side) float32, what is known there, and which sections are real (n,)."""

    image: np.ndarray
    known: Known
    real: np.ndarray

    def moved(self, draw: Draw) -> Window:
        """The same tissue after augmentation."""
        return Window(draw.image(self.image), self.known.moved(draw), self.real[::-1] if draw.reverse else self.real)


@dataclass(frozen=True, eq=False)
class AnnotatedVolume:
    """An image with its truth, limited to `sections` (half-open): nothing outside is ever read, as neighbour either.

    labels: ids from 1, or 1 inside and 0 membrane. marks: bit k is set where class number k of `classes` is. grey: the image to
    imitate, in [0, 1]. Each is None where the truth does not say it; without a truth no bit is set.
    """

    image: Image
    sections: tuple[int, int]
    weight: float = 1.0
    truth_is: str = "instances"
    scales: tuple[tuple[float, float], ...] = ()
    pixels: np.ndarray = field(default_factory=lambda: np.empty(0))
    labels: np.ndarray | None = None
    marks: np.ndarray | None = None
    classes: tuple[str, ...] = ()
    grey: np.ndarray | None = None

    @classmethod
    def load(
        cls,
        image: Image,
        truth: Labels | Image | None,
        sections: tuple[int, int],
        *,
        normalization: str,
        truth_is: str = "instances",
        weight: float = 1.0,
        classes: Mapping[str, Labels] | None = None,
        class_values: Mapping[str, int] | None = None,
    ) -> AnnotatedVolume:
        """Read the block into memory.

        truth: labels, for `truth_is` grey an Image, None for an image without truth. classes: further two-valued masks by name,
        values above 0 are the class. class_values: what the values of `truth` mean, for `truth_is` classes.
        Raises ShapeError or UnitError where files do not fit, ValueRangeError for values that are not what they are said to be,
        InputError for a section of a two-valued truth with only one of them and for grey values that are not finite.
        """
        if truth_is not in TRUTHS:
            raise UnknownNameError("truth_is", truth_is, TRUTHS)
        box = _block(image, sections)
        for other in (truth, *(classes or {}).values()):
            if other is not None:
                image.grid.require_same(other.grid, f"image '{image.name}'", f"truth '{other.name}'")
        pixels = _finite(image, box)
        labels, grey, masks = None, None, {}
        if isinstance(truth, Image):
            values = _finite(truth, box)
            grey = _unit(values)
        elif truth is not None:
            ids = truth.read(box)
            if truth_is == "instances":
                # Files hold ids of any size; nothing downstream needs more than which of them are equal.
                labels = fastremap.renumber(ids, preserve_zero=True, in_place=False)[0].astype(np.int32)
            elif truth_is == "classes":
                masks = _named_values(ids, truth.name, class_values or {})
            else:
                require_two_values(ids, truth.name, f"truth_is {truth_is}")
                _require_both(ids, truth.name, sections[0])
                labels = ((ids > 0) ^ (truth_is == "membrane")).astype(np.int32)
        for name, mask in (classes or {}).items():
            values = mask.read(box)
            require_two_values(values, mask.name, f"class {name}")
            masks[name] = values > 0
            _say_where_empty(masks[name], name, mask.name, sections[0])
        marks = _marks(masks, pixels.shape) if masks or truth is None else None
        scales = tuple(section_scale(s, normalization) for s in pixels)
        return cls(image, sections, weight, truth_is, scales, pixels, labels, marks, tuple(masks), grey)

    def window(self, z: np.ndarray, corner: np.ndarray, side: int) -> Window:
        """The sections z, each cut at its corner (n, 2).

        z may reach beyond the volume: the outermost section is repeated and marked as not real; so is the plane by reflection.
        """
        real = (z >= 0) & (z < len(self.pixels))
        sections = np.clip(z, 0, len(self.pixels) - 1)
        places = [
            (s, *(_reflected(c, side, n) for c, n in zip(at, self.pixels.shape[1:], strict=True)))
            for s, at in zip(sections, corner, strict=True)
        ]

        def cut(array: np.ndarray) -> np.ndarray:
            return np.stack([array[s][rows][:, columns] for s, rows, columns in places])

        image = cut(self.pixels).astype(np.float32)
        for section, s in zip(image, sections, strict=True):
            offset, factor = self.scales[s]
            section -= np.float32(offset)
            section *= np.float32(factor)
        labels, marks, grey = (None if a is None else cut(a) for a in (self.labels, self.marks, self.grey))
        return Window(image, Known(labels, self.truth_is in ("inside", "membrane"), marks, self.classes, grey), real)

    def known(self) -> Known:
        """The whole truth, as one sample."""
        return Known(self.labels, self.truth_is in ("inside", "membrane"), self.marks, self.classes, self.grey)


def require_two_values(values: np.ndarray, name: str, said: str) -> None:
    """Raises ValueRangeError that shows the first ten values where there are more than two."""
    found = np.unique(values)
    if len(found) > 2:
        more = f" and {len(found) - 10} more" if len(found) > 10 else ""
        raise ValueRangeError(
            f"Truth '{name}' has the values {', '.join(map(str, found[:10]))}{more}",
            f"two values, since it is said to be {said}",
            "say instances (each value is an object) or classes (with class_values) for truth_is",
        )


def polarity_fault(values: np.ndarray, name: str, option: str) -> InputError:
    """What to say about a truth of which nobody has said what its values mean: how much there is of each, and what to give.

    option: how the answer is given, with {} for it, as in "truth_is: {}".
    """
    found, counts = np.unique(values, return_counts=True)
    shown = ", ".join(f"{v} ({100 * n / values.size:.1f} %)" for v, n in list(zip(found, counts, strict=True))[:10])
    shown += f" and {len(found) - 10} more" if len(found) > 10 else ""
    if len(found) <= 2:
        expected = f"{option.format('inside')} or {option.format('membrane')}"
        remedy = (
            f"{option.format('membrane')} if {found[-1]} is membrane (mostly the rarer value), else {option.format('inside')}"
        )
    else:
        expected = f"{option.format('instances')} or {option.format('classes')}"
        remedy = f"{option.format('instances')} if each value is one object, {option.format('classes')} if it is a kind of tissue"
    return InputError(f"Nobody says what the values of '{name}' mean: {shown}", expected, remedy)


def _block(image: Image, sections: tuple[int, int]) -> Box:
    first, last = sections
    if not 0 <= first < last <= image.grid.shape[0]:
        raise ShapeError(
            f"Sections {first}:{last} of a stack of {image.grid.shape[0]}", "0 <= first < last <= number of sections"
        )
    return Box((first, 0, 0), (last, *image.grid.shape[1:]))


def _finite(image: Image, box: Box) -> np.ndarray:
    pixels = image.read(box)
    if pixels.dtype.kind == "f" and not (finite := np.isfinite(pixels)).all():
        z, y, x = (int(i) for i in np.argwhere(~finite)[0])
        raise InputError(
            f"Image '{image.name}' is {pixels[z, y, x]} in section {box.start[0] + z} at (y, x) = {y, x}",
            "finite grey values",
            "replace nan and inf",
        )
    return pixels


def _unit(values: np.ndarray) -> np.ndarray:
    largest = np.iinfo(values.dtype).max if values.dtype.kind in "ui" else 1.0
    if values.dtype.kind == "f" and not (values.min() >= 0 and values.max() <= 1):
        raise ValueRangeError(
            f"The image to imitate has values from {values.min():g} to {values.max():g}",
            "values in [0, 1], or whole numbers (255 or 65535 become 1)",
            "divide by the largest value",
        )
    return values.astype(np.float32) / np.float32(largest)


def _named_values(ids: np.ndarray, name: str, class_values: Mapping[str, int]) -> dict[str, np.ndarray]:
    found = np.unique(ids)
    if not class_values:
        raise InputError(
            f"Truth '{name}' holds classes, and no value has a name (values {', '.join(map(str, found[:10]))})",
            "class_values, a name for each value to be learnt",
            "for example class_values: {membrane: 1}, or --class-value membrane=1",
        )
    absent = {c: v for c, v in class_values.items() if v not in found}
    if len(absent) == len(class_values):
        raise ValueRangeError(
            f"Truth '{name}' has the values {', '.join(map(str, found[:10]))}",
            f"one of {', '.join(f'{v} ({c})' for c, v in absent.items())}",
            "correct class_values",
        )
    return {c: ids == v for c, v in class_values.items()}


def _require_both(ids: np.ndarray, name: str, first: int) -> None:
    for z, section in enumerate(ids):
        if section.min() == section.max():
            raise InputError(
                f"Truth '{name}' is {section.flat[0]} everywhere in section {first + z}",
                "inside and membrane in each section",
                "leave the section out of train and validate_on",
            )


def _say_where_empty(mask: np.ndarray, name: str, file: str, first: int) -> None:
    """A section that nobody annotated looks like one without the class; only a person can tell."""
    if empty := [str(first + z) for z, section in enumerate(mask) if not section.any()]:
        told = (
            "'%s' has no %s in section %s, and that is learnt: where nobody annotated it, cut the volume and leave the class out"
        )
        _log.warning(told, file, name, ", ".join(empty))


def _marks(masks: Mapping[str, np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    """Bit k for mask number k, in the smallest type that has room; no mask, no bit."""
    if len(masks) > MOST_CLASSES:
        raise InputError(f"{len(masks)} classes", f"at most {MOST_CLASSES}", "train a second network for the others")
    marks = np.zeros(shape, np.min_scalar_type(2 ** len(masks) - 1))
    for bit, mask in enumerate(masks.values()):
        marks |= mask.astype(marks.dtype) << marks.dtype.type(bit)
    return marks


def _reflected(start: int, length: int, size: int) -> np.ndarray:
    if size == 1:
        return np.zeros(length, np.int64)
    index = np.abs(np.arange(start, start + length)) % (2 * size - 2)
    return np.where(index >= size, 2 * size - 2 - index, index)
