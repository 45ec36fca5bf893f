"""A neuron's voxels and those of its reconstruction in space, to be turned with the mouse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neurotome.measure.occupancy import overlap

if TYPE_CHECKING:
    from plotly.graph_objects import Figure, Mesh3d

__all__ = ["cube_faces", "occupancy_figure", "shown_box"]

BORDER = 0.1
"""Around the voxels that are drawn, as a share of the longest side of their box."""
KINDS = {
    "both": ("in both", ("#5f6b75", "#b4c0ca")),
    "missed": ("missed", ("#004166", "#0080c7")),
    "added": ("added", ("#7a3600", "#e06400")),
}
"""What voxels are called, and their colours in shadow and in light, which also those who see no red tell apart."""
LONGEST = 1.35
"""The longest side of the scene, in units of Plotly's camera: it fills the picture and stays inside."""
INK, SOFT, LINE = "#1f2630", "#5b6673", "#e3e7eb"
SHADES = {(0, 0): 0.65, (0, 1): 0.4, (1, 0): 1.0, (1, 1): 0.0, (2, 0): 0.25, (2, 1): 0.8}
"""How light a face is, 0 to 1, by axis (z, y, x) and side: as if light came from above, whichever way the scene is turned.
Plotly's own lights leave most faces of small cubes in the dark."""
UNSHADED = {"ambient": 1.0, "diffuse": 0.0, "specular": 0.0, "fresnel": 0.0}

# The corners of the face of a voxel towards lower and towards higher index, along each axis (z, y, x), seen round from outside.
_ROUND = np.array([[0, 0], [1, 0], [1, 1], [0, 1]])


def occupancy_figure(truth: np.ndarray, prediction: np.ndarray, *, title: str = "") -> Figure:
    """An interactive Plotly figure of two grids: voxels in both, missed, added; in the legend their numbers, IoU and F1.

    truth, prediction: (z, y, x) bool, or 0 and 1. Only what can be seen is drawn: faces between two voxels of any kind are left
    out. A click on a name in the legend hides its voxels. The scene ends a tenth of the longest side outside of the voxels.
    Raises ShapeError, ValueRangeError.
    """
    # It takes a second to import.
    from plotly.graph_objects import Figure

    agreement = overlap(prediction, truth)
    truth, prediction = np.asarray(truth, bool), np.asarray(prediction, bool)
    parts = {"both": truth & prediction, "missed": truth & ~prediction, "added": prediction & ~truth}
    figure = Figure([_mesh(kind, voxels, truth | prediction) for kind, voxels in parts.items()])
    figure.update_layout(_layout(shown_box(truth | prediction), f"IoU {agreement.iou:.3f}   F1 {agreement.f1:.3f}", title))
    return figure


def cube_faces(voxels: np.ndarray, all_voxels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The faces of voxels that touch none of `all_voxels`: corners (n, 3), z, y, x, where voxel i reaches from i to i + 1,
    triangles (m, 3), anticlockwise from outside in a right-handed space x, y, z, and their shades (m,). Both grids bool.
    """
    padded = np.pad(all_voxels, 1)
    corners, shades = [], []
    for axis in range(3):
        for side in (0, 1):
            beside = np.roll(padded, 1 - 2 * side, axis)[1:-1, 1:-1, 1:-1]
            at = np.argwhere(voxels & ~beside)
            quad = np.zeros((4, 3), np.int64)
            quad[:, axis] = side
            # z, y, x is mirrored against x, y, z, so the round is the other way about.
            quad[:, [(axis + 1) % 3, (axis + 2) % 3]] = _ROUND if side == 0 else _ROUND[::-1]
            corners.append(at[:, None] + quad)
            shades += [SHADES[axis, side]] * len(at)
    quads = np.concatenate(corners)
    places, numbers = np.unique(quads.reshape(-1, 3), axis=0, return_inverse=True)
    numbers = numbers.reshape(-1, 4)
    return places, np.concatenate([numbers[:, [0, 1, 2]], numbers[:, [0, 2, 3]]]), np.array(shades * 2)


def shown_box(voxels: np.ndarray) -> np.ndarray:
    """Lowest and highest corner (2, 3) of the voxels and a border around them; of the whole grid where there are none."""
    if not voxels.any():
        return np.array([[0, 0, 0], voxels.shape], np.float64)
    at = np.argwhere(voxels)
    low, high = at.min(0), at.max(0) + 1
    border = BORDER * float((high - low).max())
    return np.array([low - border, high + border])


def _mesh(kind: str, voxels: np.ndarray, all_voxels: np.ndarray) -> Mesh3d:
    from plotly.graph_objects import Mesh3d

    name, (shadow, light) = KINDS[kind]
    places, triangles, shades = cube_faces(voxels, all_voxels)
    # Small numbers are written with few bytes.
    z, y, x = places.astype(np.int16).T
    i, j, k = triangles.astype(np.int32).T
    count = int(voxels.sum())
    return Mesh3d(
        x=x, y=y, z=z, i=i, j=j, k=k, hoverinfo="skip", lighting=UNSHADED, showscale=False,
        intensity=np.rint(100 * shades).astype(np.uint8), intensitymode="cell", cmin=0, cmax=100,
        colorscale=[[0, shadow], [1, light]],
        name=f"{count:,} voxel{'s' * (count != 1)} {name}", showlegend=True,
    )  # fmt: skip


def _layout(box: np.ndarray, scores: str, title: str) -> dict[str, Any]:
    low, high = box
    axes = {
        f"{name}axis": {
            "range": [low[a], high[a]],
            "title": {"text": f"{name} (voxels)", "font": {"size": 12, "color": SOFT}},
            "tickfont": {"size": 10, "color": SOFT},
            "nticks": 5,
            "backgroundcolor": "#ffffff",
            "gridcolor": LINE,
            "zeroline": False,
        }
        for a, name in enumerate("zyx")
    }
    return {
        "title": {"text": title, "font": {"size": 15, "color": INK}},
        "font": {"color": INK},
        "margin": {"l": 0, "r": 0, "t": 36 if title else 4, "b": 0},
        "paper_bgcolor": "#ffffff",
        "legend": {
            "title": {"text": f"<b>{scores}</b>"}, "itemsizing": "constant",
            "x": 0.01, "y": 0.99, "bgcolor": "rgba(255,255,255,0.8)",
        },
        "scene": {
            **axes,
            # Plotly's aspectmode "data" lets what is long and thin reach out of the picture.
            "aspectmode": "manual",
            "aspectratio": dict(zip("zyx", (LONGEST * (high - low) / (high - low).max()).tolist(), strict=True)),
            "dragmode": "orbit",
            # x to the right and y down, as in a picture of a section; seen from before the first section, a little from above.
            "camera": {"up": {"x": 0, "y": -1, "z": 0}, "eye": {"x": -0.8, "y": -0.55, "z": -1.55}},
        },
    }  # fmt: skip
