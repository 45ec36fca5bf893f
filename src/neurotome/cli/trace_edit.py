"""`neurotome trace edit`: a script of edits on a tree."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from neurotome.cli.reconstruct import Voxel
from neurotome.core import InputError

__all__ = ["edit"]


def edit(
    tree: Annotated[Path, typer.Argument(metavar="TREE.swc", help="Tree to edit; it is never changed.")],
    script: Annotated[Path, typer.Option("--script", help="JSON lines, or the log of another session to do again.")],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="OUT.swc", help="Where the edited tree is written.")],
    probability: Annotated[
        str | None, typer.Option("--probability", help="Probability map, for bridge and retrace_from.")
    ] = None,
    image: Annotated[str | None, typer.Option("--image", help="Image instead: its grey values guide the path.")] = None,
    voxel_nm: Voxel = None,
    unit: Annotated[str | None, typer.Option(help="um, nm or voxel, where the SWC file does not say.")] = None,
    log: Annotated[Path | None, typer.Option("--log", help="Where the log is written [default: OUT.edits.jsonl].")] = None,
    user: Annotated[str, typer.Option(help="Who edits, for the log [default: the name you are logged in by].")] = "",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace OUT and its log if they exist.")] = False,
) -> None:
    """Edit a tree by a script: all of it, or nothing is written. Undo is an operation; the log replays to the same bytes.

    A line of the script: `{"operation": "move_node", "arguments": {"node": 5, "point_nm": [2000, 1500, 300]}}`, z y x in nm.

    Operations: add_node, insert_on_edge, move_node, delete_node, set_type, set_radius, lock, unlock, cut, join, reroot,
    accept_jump, reject_jump, prune_below, retrace_from, bridge, undo, redo.

    Example: `neurotome trace edit n1.swc --script edits.jsonl -o n1-edited.swc --probability boundary.ome.zarr`
    """
    from neurotome.flows.edit import edit_tree
    from neurotome.tracing.on_blocks.values import ValuesFile

    if probability and image:
        raise InputError("Both --probability and --image are given", "one of them", "leave out --image")
    values = None
    if probability or image:
        values = ValuesFile(str(probability or image), "probability" if probability else "image", voxel_nm)
    done = edit_tree(tree, script, out, values=values, unit=unit, voxel_nm=voxel_nm, log=log, user=user, overwrite=overwrite)
    console = Console(highlight=False, soft_wrap=True)
    count = "1 operation" if done.operations == 1 else f"{done.operations} operations"
    console.print(f"{count} done: {len(done.before)} nodes before, [bold]{len(done.after)}[/bold] after")
    console.print(f"written: {', '.join(str(path) for path in done.written)}")
