"""Small charts as inline SVG: no script, sharp on paper, readable by a screen reader."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["Curve", "bar_chart", "histogram", "line_chart", "log_histogram", "nice_ticks"]

WIDTH, HEIGHT = 560, 250
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 14, 46


@dataclass(frozen=True)
class Curve:
    """A line of a chart. kind picks its colour in the style sheet (curve-1, curve-2, ...)."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    kind: int = 1


@dataclass(frozen=True)
class _Frame:
    """Where data lie in the picture."""

    x: tuple[float, float]
    y: tuple[float, float]

    def at(self, x: float, y: float) -> tuple[float, float]:
        across = (x - self.x[0]) / ((self.x[1] - self.x[0]) or 1)
        up = (y - self.y[0]) / ((self.y[1] - self.y[0]) or 1)
        return LEFT + across * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM)


def log_histogram(values: Sequence[float], x_label: str, y_label: str, title: str, bins_per_decade: int = 4) -> str:
    """How many values fall in each of the bins that are equally wide on a logarithmic axis; values <= 0 are left out."""
    logs = np.log10([v for v in values if v > 0])
    if not len(logs):
        return ""
    low = math.floor(logs.min() * bins_per_decade) / bins_per_decade
    high = max(math.ceil(logs.max() * bins_per_decade + 1e-9) / bins_per_decade, low + 1 / bins_per_decade)
    edges = np.linspace(low, high, round((high - low) * bins_per_decade) + 1)
    counts, _ = np.histogram(logs, edges)
    frame = _Frame((low, high), (0, _nice_top(counts.max())))
    bars = [
        _bar(frame, a, b, n, f"{_power(a)} to {_power(b)}: {n}") for a, b, n in zip(edges[:-1], edges[1:], counts, strict=True)
    ]
    # A few decades leave room for the steps of 1, 2 and 5 between the powers of ten.
    steps = (1, 2, 5) if high - low < 2.5 else (1,)
    exact = [d + math.log10(m) for d in range(math.floor(low), math.ceil(high) + 1) for m in steps]
    ticks = [(e, _power(e)) for e in exact if low - 1e-9 <= e <= high + 1e-9]
    return _svg(frame, bars, ticks, x_label, y_label, title)


def bar_chart(values: Sequence[int], x_label: str, y_label: str, title: str, bins: int = 24) -> str:
    """How many values fall in each of at most `bins` equally wide bins of whole numbers, from 1 to the largest."""
    if not values:
        return ""
    largest = max(values)
    width = math.ceil(largest / bins)
    edges = np.arange(0.5, largest + width + 0.5, width)
    counts, _ = np.histogram(values, edges)
    frame = _Frame((edges[0], edges[-1]), (0, _nice_top(counts.max())))
    bars = [
        _bar(frame, a, b, n, f"{a + 0.5:g} to {b - 0.5:g}: {n}" if width > 1 else f"{a + 0.5:g}: {n}")
        for a, b, n in zip(edges[:-1], edges[1:], counts, strict=True)
    ]
    ticks = [(t, f"{t:g}") for t in nice_ticks(1, largest) if t == int(t)]
    return _svg(frame, bars, ticks, x_label, y_label, title)


def line_chart(
    curves: Sequence[Curve],
    x_label: str,
    y_label: str,
    title: str,
    marked_x: float | None = None,
    *,
    mark: str = "used",
    bottom: float = 0.0,
) -> str:
    """Lines with a name each, and a dashed upright, called `mark`, where x is `marked_x`. bottom: where the y axis begins."""
    if not curves:
        return ""
    xs, ys = [x for c in curves for x in c.x], [y for c in curves for y in c.y]
    frame = _Frame((min(xs), max(xs)), (bottom, _nice_top(max(ys))))
    parts = []
    for curve in curves:
        points = " ".join("{:.1f},{:.1f}".format(*frame.at(x, y)) for x, y in zip(curve.x, curve.y, strict=True))
        parts.append(f'<polyline class="curve curve-{curve.kind}" points="{points}"><title>{curve.name}</title></polyline>')
    parts += _mark(frame, marked_x, mark)
    ticks = [(t, f"{t:g}") for t in nice_ticks(*frame.x)]
    return _svg(frame, parts, ticks, x_label, y_label, title)


def histogram(
    edges: Sequence[float],
    stacks: Mapping[str, Sequence[float]],
    x_label: str,
    y_label: str,
    title: str,
    marked_x: float | None = None,
    *,
    mark: str = "used",
) -> str:
    """Counts that were made before: of each name a count per bin, one upon the other. edges: one more than bins.

    The stacks have the styles bar-1, bar-2, ... of the style sheet; a dashed upright as in `line_chart`.
    """
    if len(edges) < 2 or not stacks:
        return ""
    tops = np.cumsum([list(counts) for counts in stacks.values()], axis=0)
    frame = _Frame((edges[0], edges[-1]), (0, _nice_top(tops[-1].max())))
    parts = []
    for kind, (name, counts) in enumerate(stacks.items(), 1):
        for low, high, top, count in zip(edges[:-1], edges[1:], tops[kind - 1].tolist(), counts, strict=True):
            tip = f"{low:g} to {high:g}: {count:,.6g} {name}"
            parts.append(_bar(frame, low, high, top, tip, style=f"bar bar-{kind}", foot=top - count))
    parts += _mark(frame, marked_x, mark)
    return _svg(frame, parts, [(t, f"{t:g}") for t in nice_ticks(*frame.x)], x_label, y_label, title)


def _mark(frame: _Frame, marked_x: float | None, mark: str) -> list[str]:
    """A dashed upright with its name, where x is inside the chart."""
    if marked_x is None or not frame.x[0] <= marked_x <= frame.x[1]:
        return []
    x, foot = frame.at(marked_x, frame.y[0])
    side, anchor = (x - 5, "end") if marked_x > sum(frame.x) / 2 else (x + 5, "start")
    return [
        f'<line class="mark" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{foot:.1f}"/>',
        f'<text class="mark-name" x="{side:.1f}" y="{TOP + 10}" text-anchor="{anchor}">{mark}: {marked_x:g}</text>',
    ]


def _svg(frame: _Frame, parts: list[str], ticks: list[tuple[float, str]], x_label: str, y_label: str, title: str) -> str:
    axis_y = HEIGHT - BOTTOM
    lines = [f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}">']
    for value in nice_ticks(*frame.y, 4):
        x, y = frame.at(frame.x[0], value)
        lines.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        lines.append(f'<text class="tick" x="{LEFT - 7}" y="{y + 4:.1f}" text-anchor="end">{value:g}</text>')
    lines += parts
    lines.append(f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{axis_y}" y2="{axis_y}"/>')
    for value, text in ticks:
        x, _ = frame.at(value, frame.y[0])
        lines.append(f'<line class="axis" x1="{x:.1f}" x2="{x:.1f}" y1="{axis_y}" y2="{axis_y + 4}"/>')
        lines.append(f'<text class="tick" x="{x:.1f}" y="{axis_y + 18}" text-anchor="middle">{text}</text>')
    lines.append(f'<text class="label" x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 7}" text-anchor="middle">{x_label}</text>')
    middle = (TOP + HEIGHT - BOTTOM) / 2
    lines.append(
        f'<text class="label" x="14" y="{middle}" text-anchor="middle" transform="rotate(-90 14 {middle})">{y_label}</text>'
    )
    return "\n".join([*lines, "</svg>"])


def _bar(frame: _Frame, low: float, high: float, count: float, tip: str, *, style: str = "bar", foot: float = 0.0) -> str:
    """A bar from `foot` up to `count`."""
    (x0, y0), (x1, y1) = frame.at(low, foot), frame.at(high, float(count))
    shape = f'x="{x0 + 0.8:.1f}" y="{y1:.1f}" width="{max(x1 - x0 - 1.6, 0.6):.1f}" height="{max(y0 - y1, 0.0):.1f}"'
    return f'<rect class="{style}" {shape}><title>{tip}</title></rect>'


def _power(exponent: float) -> str:
    """
    >>> _power(-5.0), _power(3.0), _power(0.301)
    ('0.00001', '1,000', '2')
    """
    value = float(f"{10**exponent:.2g}")
    return f"{value:,.0f}" if value >= 1 and value == int(value) else f"{value:.12f}".rstrip("0")


def nice_ticks(low: float, high: float, wanted: int = 6) -> list[float]:
    """Round numbers (1, 2 or 5 times a power of ten apart) between low and high.

    >>> nice_ticks(0, 10, 4), nice_ticks(0.1, 0.9)
    ([0.0, 5.0, 10.0], [0.2, 0.4, 0.6, 0.8])
    """
    if high <= low:
        return [float(low)]
    rough = (high - low) / wanted
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [round(i * step, 12) for i in range(first, math.floor(high / step + 1e-9) + 1)]


def _nice_top(value: float) -> float:
    """
    >>> _nice_top(0.037), _nice_top(83)
    (0.04, 100.0)
    """
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return round(next(m * power for m in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if m * power >= value * 0.999), 12)
