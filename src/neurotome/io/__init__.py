"""io: how volumes and runs live on disk.

Question: how do I read this file, and how do I write that result so that others can read it?
Takes and gives: a path <-> Image, Labels, Probability; a folder <-> Record of a run.
May import: core, NumPy, Numba, tifffile, imagecodecs, h5py, tensorstore.
Read first: `open.py` (which reader), `source.py` (what a reader gives), then one format, for example `npy.py`.

One file per format, each with `read(path) -> Source` and, where the format is written, `write(volume, path)`. Arrays stay in
their file until a box is asked for. Writes are atomic. A voxel size that nobody states is an error, never 1.
"""

from neurotome.io import ome_zarr
from neurotome.io.arrays import load_arrays, save_arrays
from neurotome.io.atomic import atomic_target, atomic_write_json, atomic_write_text, require_free_space
from neurotome.io.feature_table import read_feature_table, write_feature_csv, write_feature_table
from neurotome.io.gif import gif_bytes, save_gif
from neurotome.io.graphs import load_merge_list, load_region_graph, save_merge_list, save_region_graph
from neurotome.io.label_table import labels_for, read_label_table, read_soma_table
from neurotome.io.lazy import LazyArray
from neurotome.io.mesh_files import read_mesh, write_mesh
from neurotome.io.meshes import MeshFragments, MeshManifests, announce_meshes
from neurotome.io.node_table import read_node_table, write_node_table
from neurotome.io.open import (
    Description,
    describe,
    guess_kind,
    open_image,
    open_labels,
    open_probability,
    open_volume,
)
from neurotome.io.point_cloud_files import read_point_cloud
from neurotome.io.precomputed_shards import PrecomputedScale, VolumeSource, create_scales, scale_grid
from neurotome.io.pyramid import PyramidLevel, build_pyramid
from neurotome.io.pyramid_grids import pyramid_factors, pyramid_grids, surface_level
from neurotome.io.run_folder import RunFolder, absolute_path, sha256
from neurotome.io.save import least_bytes, save
from neurotome.io.section_files import save_pictures, save_sections
from neurotome.io.site_table import SITE_TABLE_COLUMNS, site_table
from neurotome.io.skeletons_precomputed import SKELETON_FOLDER, announce_skeletons, read_skeletons, write_skeletons
from neurotome.io.source import Volume
from neurotome.io.swc import SWC_UNITS, SwcFile, read_swc, write_swc
from neurotome.io.table import write_csv

__all__ = [
    "SITE_TABLE_COLUMNS",
    "SKELETON_FOLDER",
    "SWC_UNITS",
    "Description",
    "LazyArray",
    "MeshFragments",
    "MeshManifests",
    "PrecomputedScale",
    "PyramidLevel",
    "RunFolder",
    "SwcFile",
    "Volume",
    "VolumeSource",
    "absolute_path",
    "announce_meshes",
    "announce_skeletons",
    "atomic_target",
    "atomic_write_json",
    "atomic_write_text",
    "build_pyramid",
    "create_scales",
    "describe",
    "gif_bytes",
    "guess_kind",
    "labels_for",
    "least_bytes",
    "load_arrays",
    "load_merge_list",
    "load_region_graph",
    "ome_zarr",
    "open_image",
    "open_labels",
    "open_probability",
    "open_volume",
    "pyramid_factors",
    "pyramid_grids",
    "read_feature_table",
    "read_label_table",
    "read_mesh",
    "read_node_table",
    "read_point_cloud",
    "read_skeletons",
    "read_soma_table",
    "read_swc",
    "require_free_space",
    "save",
    "save_arrays",
    "save_gif",
    "save_merge_list",
    "save_pictures",
    "save_region_graph",
    "save_sections",
    "scale_grid",
    "sha256",
    "site_table",
    "surface_level",
    "write_csv",
    "write_feature_csv",
    "write_feature_table",
    "write_mesh",
    "write_node_table",
    "write_skeletons",
    "write_swc",
]
