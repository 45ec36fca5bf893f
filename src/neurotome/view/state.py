"""The neuroglancer state of a run: which layers, in which colours, looking where. Nothing is served here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from neurotome.core import Box, Grid, Image, InputError, Labels, MissingExtraError, Probability, RunFolderError, Skeleton
from neurotome.report import MERGE, SPLIT, Results, css_colour, grey_range, matching_truth, read_results
from neurotome.view.skeletons import neuron_skeletons, tree_source
from neurotome.view.stored import Storage, coarse_boxes, labels_for_surfaces
from neurotome.view.volumes import channel_data, image_volume, segmentation_volume, space

__all__ = ["build_state", "look_at", "require_neuroglancer"]

PANEL_PIXELS = (400, 620)
"""Height and width of a quarter of an ordinary browser window: what the first view fills."""
BACKGROUND = "#16191d"
CLOSE_SCALE = 0.5
"""Two screen pixels per voxel: near enough to see why a membrane was missed."""
ERRORS_SHOWN = 2000
REFERENCE, TRACED, TREE_PIXELS = "#3bc9db", "#ff922b", 3
"""Colours of trees where there are both, as in the report; without a reference each tree has its own."""
ERROR_COLOURS = {"split": SPLIT, "merge": MERGE, "extra": SPLIT, "missing": MERGE}
"""Of the kinds of errors.csv: of neurons the first two, of trees the others."""

GREY_SHADER = "#uicontrol invlerp normalized\nvoid main() { emitGrayscale(normalized()); }\n"
CHOSEN_CHANNEL_SHADER = (
    "#uicontrol int channel slider(min=0, max={last}, default={first})\n"
    "void main() {{ emitGrayscale(toNormalized(getDataValue(channel))); }}\n"
)
ERROR_SHADER = """#uicontrol float size slider(min=2, max=30, default=11)
void main() {
  setColor(prop_colour());
  setPointMarkerSize(size);
  setPointMarkerBorderWidth(2.0);
}
"""


def build_state(
    run_folder: Path | str | Results,
    *,
    at: Sequence[int] | None = None,
    channels: Sequence[str] | None = None,
    storage: Storage | None = None,
) -> Any:
    """The layers of a run as a neuroglancer ViewerState: EM, probability, truth, fragments, predicted and errors; of a tracing
    image, probability, reference, trees and errors.

    Whatever the run does not hold has no layer. Coordinates are voxels of the volume, axes x, y, z at the true voxel size.

    Parameters
    ----------
    at
        Voxel z, y, x to look at, closely (default: the middle, from where all is in view).
    channels
        Channels of the probability to serve, chosen with a slider (default: all).
    storage
        Volumes that the client fetches as files, at the level it needs; all others are read and served voxel by voxel.

    Raises InputError for a place outside the volume, RunFolderError for a folder without any volume, MissingExtraError without
    neuroglancer.
    """
    neuroglancer = require_neuroglancer()
    results = run_folder if isinstance(run_folder, Results) else read_results(run_folder)
    if results.grid is None:
        raise RunFolderError(f"'{results.folder}' has no volume that can be opened", "an image or neurons", _why(results))
    state = neuroglancer.ViewerState(dimensions=space(results.grid))
    if results.image is not None:
        name = "EM" if results.trees is None else "image"
        state.layers.append(name=name, layer=_image_layer(neuroglancer, results.image, storage))
    if results.probability is not None:
        chosen = tuple(channels or results.probability.channels)
        layer = _probability_layer(neuroglancer, results.probability, chosen, storage)
        state.layers.append(name="probability", layer=layer, visible=False)
    if results.truth is not None:
        colours = {t: css_colour(p) for t, p in matching_truth(results).items()}
        layer = _segmentation_layer(neuroglancer, results.truth, "truth", storage, colours=colours)
        state.layers.append(name="truth", layer=layer, visible=False)
    if results.fragments is not None:
        layer = _segmentation_layer(neuroglancer, results.fragments, "fragments", storage)
        state.layers.append(name="fragments", layer=layer, visible=False)
    if results.neurons is not None:
        layer = _segmentation_layer(neuroglancer, results.neurons, "predicted", storage, _boxes(results))
        if (skeletons := neuron_skeletons(results, results.grid, "skeletons")) is not None:
            layer.source = [*layer.source, skeletons]
        state.layers.append(name="predicted", layer=layer)
    traced = TRACED if results.reference is not None else ""
    for name, trees, colour in (("reference", results.reference, REFERENCE), ("trees", results.trees, traced)):
        if trees is not None:
            state.layers.append(name=name, layer=_tree_layer(neuroglancer, trees, results.grid, name, colour))
    if results.errors:
        state.layers.append(name="errors", layer=_error_layer(neuroglancer, results, results.grid))
    _arrange(state, results.grid)
    look_at(state, results, tuple(n // 2 for n in results.grid.shape) if at is None else at)
    if at is None:
        _step_back(state, results.grid)
    return state


def look_at(state: Any, results: Results, place: Sequence[int]) -> None:
    """Move to a voxel z, y, x, closely, and choose what is there: at an error both objects, then the largest neurons.

    Raises InputError for a place outside the volume.
    """
    assert results.grid is not None
    z, y, x = _inside(results.grid, place)
    state.position = [x + 0.5, y + 0.5, z + 0.5]
    state.cross_section_scale = CLOSE_SCALE
    if results.neurons is not None:
        state.layers["predicted"].layer.segments = _segments_at(results, (z, y, x))


def require_neuroglancer() -> Any:
    """The package, or MissingExtraError with the line that installs it."""
    try:
        import neuroglancer
    except ImportError as error:
        raise MissingExtraError("neuroglancer", remedy="pip install neuroglancer") from error
    return neuroglancer


def _why(results: Results) -> str:
    return "; ".join(results.missing) or "let the run finish"


def _inside(grid: Grid, at: Sequence[int]) -> tuple[int, int, int]:
    if len(at) != 3 or any(not 0 <= v < n for v, n in zip(at, grid.shape, strict=True)):
        raise InputError(f"Place {tuple(at)}", f"z, y, x inside the volume {grid.shape}", "give the voxel as in errors.csv")
    z, y, x = (int(v) for v in at)
    return z, y, x


def _image_layer(neuroglancer: Any, image: Image, storage: Storage | None) -> Any:
    low, high = grey_range(image)
    stored = storage is not None and "EM" in storage.folders
    return neuroglancer.ImageLayer(
        source=storage.source("EM", image.grid) if stored else image_volume(image.data, image.grid, "EM"),
        shader=GREY_SHADER,
        shader_controls={"normalized": {"range": [low, high]}},
    )


def _probability_layer(neuroglancer: Any, probability: Probability, channels: tuple[str, ...], storage: Storage | None) -> Any:
    """One grey layer; among several channels a slider picks, first the nearest affinity in the section."""
    top = 255 if np.dtype(getattr(probability.data.dtype, "numpy_dtype", probability.data.dtype)) == np.uint8 else 1
    first = channels.index("affinity:0,0,1") if "affinity:0,0,1" in channels else 0
    names = "".join(f"// {i}: {name}\n" for i, name in enumerate(channels))
    grey = {"shader": names + GREY_SHADER, "shader_controls": {"normalized": {"range": [0, top]}}}
    if storage is not None and "probability" in storage.folders and channels == probability.channels:
        layer = neuroglancer.ImageLayer(source=storage.source("probability", probability.grid), **grey)
        # Each channel is stored in chunks of its own: an axis of the layer, not something for its shader.
        layer.local_dimensions = neuroglancer.CoordinateSpace(names=["c'"], units=[""], scales=[1])
        layer.local_position = [first]
        return layer
    source = image_volume(channel_data(probability, channels), probability.grid, "probability")
    if len(channels) == 1:
        return neuroglancer.ImageLayer(source=source, **grey)
    shader = names + CHOSEN_CHANNEL_SHADER.format(last=len(channels) - 1, first=first)
    return neuroglancer.ImageLayer(source=source, shader=shader)


def _segmentation_layer(
    neuroglancer: Any,
    labels: Labels,
    name: str,
    storage: Storage | None,
    boxes: Mapping[int, Box] | None = None,
    colours: Mapping[int, str] | None = None,
) -> Any:
    layer = neuroglancer.SegmentationLayer(
        source=_segmentation_sources(neuroglancer, labels, name, storage, boxes or {}),
        # All segments have colour in the sections; the chosen ones are bright there and have a surface in 3D.
        selected_alpha=0.55,
        not_selected_alpha=0.25,
        hide_segment_zero=True,
    )
    if colours:
        layer.segment_colors = dict(colours)
    return layer


def _segmentation_sources(
    neuroglancer: Any, labels: Labels, name: str, storage: Storage | None, boxes: Mapping[int, Box]
) -> list[Any]:
    """Voxels and surfaces from one source; or voxels as they are stored, and surfaces made here of a coarser level."""
    if storage is None or name not in storage.folders:
        return [segmentation_volume(labels, name, boxes)]
    coarse = labels_for_surfaces(storage.folders[name])
    surfaces = segmentation_volume(coarse, name, coarse_boxes(boxes, labels.grid, coarse.grid))
    only_surfaces = {"enable_default_subsources": False, "subsources": {"meshes": True}}
    return [storage.source(name, labels.grid), neuroglancer.LayerDataSource(url=surfaces, **only_surfaces)]


def _tree_layer(neuroglancer: Any, trees: Skeleton, grid: Grid, name: str, colour: str) -> Any:
    """All trees of a skeleton as lines, each in its colour or all in one."""
    layer = neuroglancer.SegmentationLayer(source=tree_source(trees, grid, name), segments=range(1, len(trees.roots) + 1))
    layer.skeleton_rendering.line_width2d = layer.skeleton_rendering.line_width3d = TREE_PIXELS
    if colour:
        layer.segment_default_color = colour
    return layer


def _error_layer(neuroglancer: Any, results: Results, grid: Grid) -> Any:
    """A point per error, in the colour of its kind, with what happened in its description."""
    points = [
        neuroglancer.PointAnnotation(
            id=str(row["rank"]),
            point=[row["x"] + 0.5, row["y"] + 0.5, row["z"] + 0.5],
            description=_description(row),
            props=[ERROR_COLOURS[row["kind"]]],
        )
        for row in results.errors[:ERRORS_SHOWN]
    ]
    return neuroglancer.LocalAnnotationLayer(
        dimensions=space(grid),
        annotations=points,
        annotation_properties=[neuroglancer.AnnotationPropertySpec(id="colour", type="rgb", default="#ffffff")],
        shader=ERROR_SHADER,
        tab="annotations",
    )


def _description(row: Mapping[str, Any]) -> str:
    if "length_um" in row:
        whose = "reference" if row["kind"] == "missing" else "traced"
        length = f"{row['length_um']:.1f} µm of {whose} tree {row['tree'] + 1}"
        return f"{row['rank']} {row['kind']}: {length}, up to {row['distance_um']:.1f} µm from the other"
    what = f"truth {row['truth_id']} in neurons {row['other_segment_id']} and {row['segment_id']}"
    if row["kind"] == "merge":
        what = f"neuron {row['segment_id']} over truths {row['other_truth_id']} and {row['truth_id']}"
    return f"{row['rank']} {row['kind']}: {what}, {row['voxels']} voxels, {row['cost_bits']:.4f} bits"


def _boxes(results: Results) -> dict[int, Box]:
    corners = ("z0", "y0", "x0", "z1", "y1", "x1")
    if not results.table or any(c not in results.table[0] for c in corners):
        return {}
    return {
        int(r["id"]): Box((int(r["z0"]), int(r["y0"]), int(r["x0"])), (int(r["z1"]), int(r["y1"]), int(r["x1"])))
        for r in results.table
    }


def _segments_at(results: Results, place: tuple[int, int, int], wanted: int = 12) -> list[int]:
    """What has a surface: the neuron looked at (at an error, both), then the largest."""
    assert results.neurons is not None
    z, y, x = place
    chosen = [int(np.asarray(results.neurons.data[z, y, x]))]
    for row in results.errors:
        if (row["z"], row["y"], row["x"]) == place:
            chosen += [int(row["segment_id"]), int(row["other_segment_id"])]
    largest = sorted(results.table, key=lambda r: -int(r["voxels"]))[:wanted]
    chosen += [int(r["id"]) for r in largest]
    return [i for i in dict.fromkeys(chosen) if i > 0][:wanted]


def _arrange(state: Any, grid: Grid) -> None:
    """Section, two cuts and surfaces, on a dark ground."""
    extent = max(n * v for n, v in zip(grid.shape, grid.voxel_nm, strict=True))
    # Both scales of a state count voxels of the first axis, x.
    state.projection_scale = float(1.25 * extent / grid.voxel_nm[2])
    state.projection_orientation = [0.36, 0.14, 0.06, 0.92]
    state.layout = "4panel"
    state.show_slices = False
    state.show_axis_lines = False
    state.cross_section_background_color = BACKGROUND
    state.projection_background_color = BACKGROUND


def _step_back(state: Any, grid: Grid) -> None:
    """The whole section in its panel; a large one is not zoomed out further than is quick to load."""
    _, height, width = grid.shape
    fitting = max(height * grid.voxel_nm[1] / grid.voxel_nm[2] / PANEL_PIXELS[0], width / PANEL_PIXELS[1])
    state.cross_section_scale = float(min(max(fitting, 0.05), 8.0))
