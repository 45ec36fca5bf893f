"""io: how volumes and runs live on disk.

Question: how do I read this file, and how do I write that result so that others can read it?
Takes and gives: a path <-> Image, Labels, Probability; a folder <-> Record of a run.
May import: core, NumPy, tifffile, imagecodecs, h5py, tensorstore.
Read first: `open.py` (which reader), `source.py` (what a reader gives), then one format, for example `npy.py`.

One file per format, each with `read(path) -> Source` and, where the format is written, `write(volume, path)`. Arrays stay in
their file until a box is asked for. Writes are atomic. A voxel size that nobody states is an error, never 1.
"""

from neurotome.io import ome_zarr
from neurotome.io.atomic import atomic_target, atomic_write_json, atomic_write_text, require_free_space
from neurotome.io.graphs import load_merge_list, load_region_graph, save_merge_list, save_region_graph
from neurotome.io.lazy import LazyArray
from neurotome.io.open import (
    Description,
    describe,
    guess_kind,
    open_image,
    open_labels,
    open_probability,
    open_volume,
)
from neurotome.io.run_folder import RunFolder, absolute_path, sha256
from neurotome.io.save import save
from neurotome.io.source import Volume
from neurotome.io.table import write_csv

__all__ = [
    "Description",
    "LazyArray",
    "RunFolder",
    "Volume",
    "absolute_path",
    "atomic_target",
    "atomic_write_json",
    "atomic_write_text",
    "describe",
    "guess_kind",
    "load_merge_list",
    "load_region_graph",
    "ome_zarr",
    "open_image",
    "open_labels",
    "open_probability",
    "open_volume",
    "require_free_space",
    "save",
    "save_merge_list",
    "save_region_graph",
    "sha256",
    "write_csv",
]
