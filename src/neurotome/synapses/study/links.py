"""From a site to the place in a viewer: WEBKNOSSOS and neuroglancer links, and NML files with a small tree per synapse.

Links count voxels of the whole data set: origin of the volume + voxel of the site, written x, y, z.
"""

from __future__ import annotations

import json
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

import pandas as pd

from neurotome.core import FormatError, InputError, UnknownNameError
from neurotome.core.geometry import Int3, Nm3
from neurotome.io import atomic_write_text
from neurotome.io.open import require_exists
from neurotome.synapses.study.legend import mapping_of_file, packaged

__all__ = ["LinkTemplate", "neuroglancer_link", "read_origins", "site_links", "write_nml"]

WEBKNOSSOS = "{base}#{x},{y},{z},0,0.905"
"""Position, then the plane xy and a zoom that shows a synapse."""
_FIELDS = ("base", "x", "y", "z", "volume", "id", "key")
_SITE = ("center", "side1", "side2")


@dataclass(frozen=True)
class LinkTemplate:
    """How links are written.

    template: may use {base}, {x}, {y}, {z}, {volume}, {id} and {key}. origins: volume -> corner in the data set, z, y, x; 0 where
    a volume has none.
    """

    base: str
    template: str = WEBKNOSSOS
    origins: Mapping[str, Int3] = field(default_factory=dict)

    def __post_init__(self) -> None:
        try:
            used = [name for _, name, _, _ in string.Formatter().parse(self.template) if name is not None]
        except ValueError as error:
            raise FormatError(f"Template of links '{self.template}' ({error})", f"such as {WEBKNOSSOS}", "correct it") from error
        for name in used:
            if name not in _FIELDS:
                raise UnknownNameError("field of a link", name, _FIELDS)

    def link(self, voxel: Sequence[int], volume: str = "", synapse_id: str = "", key: str = "") -> str:
        """The link to a voxel z, y, x of a volume.

        >>> LinkTemplate("https://wk", origins={"v": (1000, 0, 10)}).link((5, 6, 7), "v")
        'https://wk#17,6,1005,0,0.905'
        """
        z, y, x = (int(o) + int(v) for o, v in zip(self.origins.get(volume, (0, 0, 0)), voxel, strict=True))
        return self.template.format(base=self.base, x=x, y=y, z=z, volume=volume, id=synapse_id, key=key)


def site_links(sites: pd.DataFrame, template: LinkTemplate) -> pd.Series:
    """The link to the centre of each site, by key."""
    centres = sites[[f"center_{axis}" for axis in "zyx"]].to_numpy()
    rows = zip(centres, sites["volume"], sites["synapse_id"], sites.index, strict=True)
    links = [template.link(centre, str(volume), str(name), str(key)) for centre, volume, name, key in rows]
    return pd.Series(links, sites.index, dtype=object, name="link")


def read_origins(source: Path | str | Mapping[str, Any]) -> dict[str, Int3]:
    """Corner of each volume in its data set, z, y, x voxels.

    source: a YAML or JSON file, what it holds, volume -> {x: .., y: .., z: ..}, or "sce" for the volumes of SynapseClusterEM.
    Raises FormatError, MissingFileError.

    >>> read_origins("sce")["bbox7"]
    (16439, 9416, 12340)
    """
    if isinstance(source, Mapping):
        found: Mapping[str, Any] = source
    else:
        found = packaged("sce_origins.yaml") if str(source) == "sce" else mapping_of_file(require_exists(Path(source)))
    origins: dict[str, Int3] = {}
    for volume, corner in found.items():
        if not isinstance(corner, Mapping) or set(corner) != set("xyz") or any(not isinstance(v, int) for v in corner.values()):
            raise FormatError(f"The origin of volume '{volume}' is {corner!r}", "{x: 0, y: 0, z: 0}", "write whole numbers")
        origins[str(volume)] = (corner["z"], corner["y"], corner["x"])
    return origins


def neuroglancer_link(
    base: str,
    voxel: Sequence[float],
    voxel_nm: Nm3,
    layers: Mapping[str, tuple[str, str]],
    *,
    segments: Mapping[str, Sequence[int]] | None = None,
) -> str:
    """A link that holds the whole state of the viewer, looking at a voxel.

    base: where neuroglancer runs, on this machine or elsewhere. voxel, voxel_nm: z, y, x. layers: name -> (kind, source), kind
    "image", "segmentation" or "annotation", source such as precomputed://https://.... segments: layer -> ids that are chosen.

    Raises UnknownNameError for a kind, and for segments of a layer that is not there.
    """
    for name in segments or {}:
        if name not in layers:
            raise UnknownNameError("layer", name, layers)
    shown: list[dict[str, Any]] = []
    for name, (kind, source) in layers.items():
        if kind not in ("image", "segmentation", "annotation"):
            raise UnknownNameError("kind of layer", kind, ("image", "segmentation", "annotation"))
        # As text: a number of JavaScript has 53 bits.
        chosen = [str(i) for i in (segments or {}).get(name, ())]
        shown.append({"name": name, "type": kind, "source": source, **({"segments": chosen} if chosen else {})})
    state = {
        "dimensions": {axis: [size * 1e-9, "m"] for axis, size in zip("xyz", reversed(voxel_nm), strict=True)},
        "position": [float(v) + 0.5 for v in reversed(voxel)],
        "crossSectionScale": 0.5,
        "layers": shown,
        "layout": "4panel",
    }
    return f"{base.rstrip('/')}/#!{quote(json.dumps(state, separators=(',', ':')), safe='')}"


def write_nml(
    path: Path | str, sites: pd.DataFrame, voxel_nm: Nm3, *, experiment: str, origins: Mapping[str, Int3] | None = None
) -> None:
    """An NML file for WEBKNOSSOS: a tree per site, side 1 - centre - side 2, named by its key, with a comment at the centre.

    sites: canonical columns, all of one data set. voxel_nm: z, y, x. experiment: its name there. origins: as in `LinkTemplate`.
    Raises InputError for a table without sites.
    """
    if not len(sites):
        raise InputError("No sites to write as NML", "at least one", "check what was discarded")
    things = ElementTree.Element("things")
    parameters = ElementTree.SubElement(things, "parameters")
    ElementTree.SubElement(parameters, "experiment", name=experiment)
    scale = {axis: f"{v:g}" for axis, v in zip("xyz", reversed(voxel_nm), strict=True)}
    ElementTree.SubElement(parameters, "scale", {**scale, "unit": "nanometer"})
    comments = ElementTree.Element("comments")
    for number, (key, row) in enumerate(sites.iterrows()):
        origin = (origins or {}).get(str(row["volume"]), (0, 0, 0))
        _add_tree(things, number, str(key), row, origin)
        ElementTree.SubElement(comments, "comment", node=str(3 * number + 1), content=str(key))
    ElementTree.SubElement(things, "branchpoints")
    things.append(comments)
    ElementTree.indent(things)
    atomic_write_text(Path(path), ElementTree.tostring(things, encoding="unicode", xml_declaration=True) + "\n")


def _add_tree(things: ElementTree.Element, number: int, key: str, row: pd.Series, origin: Int3) -> None:
    colour = {"color.r": "1", "color.g": "0.6", "color.b": "0", "color.a": "1"}
    thing = ElementTree.SubElement(things, "thing", {"id": str(number + 1), **colour, "name": key})
    nodes, edges = ElementTree.SubElement(thing, "nodes"), ElementTree.SubElement(thing, "edges")
    first = 3 * number + 1
    for node, what in enumerate(_SITE, first):
        z, y, x = (o + int(row[f"{what}_{axis}"]) for o, axis in zip(origin, "zyx", strict=True))
        place = {"x": str(x), "y": str(y), "z": str(z)}
        ElementTree.SubElement(nodes, "node", {"id": str(node), "radius": "20", **place, "inVp": "0", "inMag": "0", "time": "0"})
    for side in (first + 1, first + 2):
        ElementTree.SubElement(edges, "edge", source=str(first), target=str(side))
