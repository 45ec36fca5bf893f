"""A tree and a script of edits -> the edited tree, its features beside it, and a log that replays to the same bytes."""

from __future__ import annotations

import getpass
import tempfile
from dataclasses import dataclass
from pathlib import Path

from neurotome.blocks import blocks_of
from neurotome.core import Grid, InputError, Skeleton
from neurotome.core.geometry import Nm3
from neurotome.io import atomic_write_text
from neurotome.io.node_table import node_table_path, read_node_table, write_node_table
from neurotome.io.open import require_exists
from neurotome.io.swc import read_swc, write_swc
from neurotome.tracing.edit import Editor, log_text, read_entries
from neurotome.tracing.on_blocks.values import CountValues, ValuesFile
from neurotome.tracing.sparse.bricks import SIDE, Bricks

__all__ = ["EditedTree", "edit_tree", "volume_bricks"]

BLOCK = (4 * SIDE, 16 * SIDE, 16 * SIDE)


@dataclass(frozen=True)
class EditedTree:
    """What came of a script. operations: how many were done; written: the files, the SWC file first."""

    before: Skeleton
    after: Skeleton
    operations: int
    written: tuple[Path, ...]


def edit_tree(
    swc: Path,
    script: Path,
    out: Path,
    *,
    values: ValuesFile | None = None,
    unit: str | None = None,
    voxel_nm: Nm3 | None = None,
    log: Path | None = None,
    user: str = "",
    overwrite: bool = False,
) -> EditedTree:
    """`neurotome trace edit`: do all operations of a script, or of a log, whose hashes are checked; or write nothing.

    values: the volume the tree was traced in, for bridge and retrace_from. unit, voxel_nm: of an SWC file that does not say.
    Features lie beside the SWC files as .nodes.csv.
    log: where to write it, by custom OUT.edits.jsonl.

    Raises FormatError with all mistakes in the text of the script, InputError with the line for one that shows when it runs.
    """
    log = log or out.with_name(f"{out.name.removesuffix('.swc')}.edits.jsonl")
    _require_new(out, log, script, overwrite=overwrite)
    entries = read_entries(require_exists(script).read_text(encoding="utf-8"), str(script))
    file = read_swc(swc, unit=unit, voxel_nm=voxel_nm)
    beside = node_table_path(swc)
    tree = read_node_table(beside, file.skeleton) if beside.is_file() else file.skeleton
    bricks, grid = volume_bricks(values) if values else (None, None)
    origin_nm = grid.origin_nm if grid else (0.0, 0.0, 0.0)
    editor = Editor(tree, probability=bricks, origin_nm=origin_nm, user=user or getpass.getuser())
    editor.replay(entries)
    write_swc(out, editor.tree, header=file.header)
    table = _write_features(out, editor.tree)
    atomic_write_text(log, log_text(editor.log))
    return EditedTree(tree, editor.tree, len(entries), (out, *table, log))


def volume_bricks(values: ValuesFile) -> tuple[Bricks, Grid]:
    """A probability map, or an image stretched to 0..255, in memory where it is not empty; and where it lies."""
    grid = values.grid()
    with tempfile.TemporaryDirectory() as folder:
        count, blocks = CountValues(values, Path(folder)), blocks_of(grid, BLOCK)
        for block in blocks:
            count(block)
        scaled = count.settled(blocks)
    return Bricks.gathered(scaled.read, grid.shape, grid.voxel_nm, at_once=BLOCK), grid


def _require_new(out: Path, log: Path, script: Path, *, overwrite: bool) -> None:
    """Look before the work, not after it. Raises InputError."""
    if out.suffix != ".swc":
        raise InputError(f"Tree '{out}'", "a name that ends in .swc", "choose another --out")
    if log.absolute() == script.absolute():
        raise InputError(f"The log would replace the script '{script}'", "two files", "choose another --log")
    for path in (out, log):
        if path.exists() and not overwrite:
            raise InputError(f"'{path}' exists already", "a new name", "give --overwrite, or choose another name")


def _write_features(out: Path, tree: Skeleton) -> tuple[Path, ...]:
    """The table beside the SWC file; one of an older tree must not stay there."""
    path = node_table_path(out)
    if not tree.features:
        path.unlink(missing_ok=True)
        return ()
    write_node_table(path, tree)
    return (path,)
