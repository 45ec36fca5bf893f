"""The CAVE services (caveclient): tables of neurons at a materialisation version, and the skeleton service.

The services want a token of your own (`CAVEclient().auth.get_new_token()` says how to get one).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from neurotome.core import FormatError, Skeleton, UnknownNameError
from neurotome.core.geometry import Nm3
from neurotome.datasets.microns.sources import cloud_extent, extra, skeleton_of
from neurotome.datasets.microns.space import Extent, voxels_to_nm

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["CACHED", "QUEUED", "SYNCHRONOUS", "Cave"]

_log = logging.getLogger(__name__)

SYNCHRONOUS, CACHED, QUEUED = 10, 500, 10_000
"""How many skeletons the service makes while one waits, gives from its cache and queues, in one request."""
SKELETON_VERSION = 4
POSITION = ("pt_position_x", "pt_position_y", "pt_position_z")


@dataclass(frozen=True)
class Cave:
    """A datastack at one version of its tables (None: the newest, which changes; say which for work that is to be repeated).

    generate: have skeletons made that the service has not in its cache: up to ten at once, more in its queue, to be asked for
    again in some hours. Raises MissingExtraError where caveclient is not installed.
    """

    datastack: str = "minnie65_public"
    version: int | None = None
    server: str | None = None
    generate: bool = True
    batch: int = CACHED
    suffix: ClassVar[str] = ".swc"

    @cached_property
    def client(self) -> Any:
        return extra("caveclient", "caveclient").CAVEclient(self.datastack, server_address=self.server, version=self.version)

    def neurons(
        self, table: str = "aibs_metamodel_celltypes_v661", *, cell_types: Sequence[str] | None = None, column: str = "cell_type"
    ) -> DataFrame:
        """The neurons of a table that names a nucleus and a type for each; index neuron_id (the root id, as text).

        Columns cell_type, nucleus_id, soma_z, soma_y, soma_x in nm: positions in the table's voxels, converted here. Segments
        without a root (0) and with several nuclei, which are merges, are left out and counted in the log.

        Raises UnknownNameError for an unknown table, FormatError for one without the columns.
        """
        materialize = self.client.materialize
        tables = materialize.get_tables(version=self.version)
        if table not in tables:
            raise UnknownNameError(f"table of {self.datastack}", table, tables)
        metadata = materialize.get_table_metadata(table, version=self.version)
        voxel_xyz = [float(side) for side in metadata["voxel_resolution"]]
        rows = materialize.query_table(
            table,
            filter_in_dict=None if cell_types is None else {column: list(cell_types)},
            materialization_version=self.version,
            split_positions=True,
            desired_resolution=voxel_xyz,
        )
        return neuron_table(rows, table, column=column, voxel_nm=(voxel_xyz[2], voxel_xyz[1], voxel_xyz[0]))

    def extent(self) -> Extent | None:
        """Where the segmentation is."""
        return cloud_extent(self.client.info.segmentation_cloudvolume(use_client_secret=True))

    def get(self, ids: Sequence[int]) -> dict[int, Skeleton]:
        """Those that the service has or makes now. Raises ValueError for more than it gives at once."""
        if len(ids) > CACHED:
            raise ValueError(f"{len(ids)} skeletons in one request, at most {CACHED}")
        service, roots = self.client.skeleton, [int(label) for label in ids]
        found = dict(service.fetch_skeletons(roots, skeleton_version=SKELETON_VERSION, output_format="dict"))
        missing = [root for root in roots if str(root) not in found]
        if missing and self.generate:
            if len(missing) <= SYNCHRONOUS:
                found |= service.get_bulk_skeletons(
                    missing, skeleton_version=SKELETON_VERSION, output_format="dict", generate_missing_skeletons=True
                )
            else:
                seconds = service.generate_bulk_skeletons_async(missing, skeleton_version=SKELETON_VERSION)
                _log.warning("%d skeletons are being made: ask again in %.0f minutes", len(missing), float(seconds) / 60)
        return {int(root): skeleton_from_service(part, str(root)) for root, part in found.items()}


def neuron_table(rows: DataFrame, table: str, *, column: str, voxel_nm: Nm3) -> DataFrame:
    """The table that `Cave.neurons` describes, from the rows of a query with split positions in voxels."""
    import pandas as pd

    missing = [name for name in ("pt_root_id", column, *POSITION) if name not in rows.columns]
    if missing:
        raise FormatError(
            f"Table '{table}' has no column {', '.join(missing)}",
            "root, type and position",
            f"one of {', '.join(map(str, rows.columns))}",
        )
    with_root = rows[rows["pt_root_id"] != 0]
    single = with_root[~with_root["pt_root_id"].duplicated(keep=False)]
    if len(single) < len(rows):
        _log.warning(
            "'%s': left out %d rows without a segment and %d whose segments hold several nuclei",
            table,
            len(rows) - len(with_root),
            len(with_root) - len(single),
        )
    somata = voxels_to_nm(single[list(POSITION)].to_numpy(), voxel_nm)
    nucleus = next((name for name in ("target_id", "id_ref", "id") if name in single.columns), None)
    content = {"cell_type": single[column].astype(str).to_numpy()}
    if nucleus is not None:
        content["nucleus_id"] = single[nucleus].to_numpy()
    content |= {f"soma_{axis}": somata[:, k] for k, axis in enumerate("zyx")}
    index = pd.Index(single["pt_root_id"].astype(np.int64).astype(str), name="neuron_id")
    return pd.DataFrame(content, index).sort_index()


def skeleton_from_service(part: Mapping[str, Any], name: str) -> Skeleton:
    """From the service's dictionary: vertices x, y, z in nm, edges, radius in nm, compartment as in SWC, the root.

    Raises FormatError.
    """
    try:
        vertices, edges = part["vertices"], part["edges"]
    except KeyError as error:
        raise FormatError(f"The skeleton of {name} has no {error}", "vertices and edges", "ask for it again") from error
    root = part.get("root")
    return skeleton_of(
        vertices,
        edges,
        radii_nm=part.get("radius"),
        kinds=part.get("compartment"),
        root=None if root is None else int(root),
        name=name,
    )
