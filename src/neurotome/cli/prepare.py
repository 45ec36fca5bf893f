"""`neurotome prepare quadrants | targets | consecutive | clean-overlap`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from neurotome.cli.progress import Bars
from neurotome.cli.reconstruct import Channels, ColourChannel, Voxel
from neurotome.core import UnknownNameError

app = typer.Typer(
    help="Prepare data for training and judging: quadrants, targets from labels, pairs of sections, a clean overlap map.",
    no_args_is_help=True,
)

KINDS = ("image", "labels", "probability")
Replace = Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")]


@app.command()
def quadrants(
    stack: Annotated[str, typer.Argument(help="Image, labels or probabilities; height and width must be even.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for a, b, c and d.")],
    format_: Annotated[str, typer.Option("--format", help="tif or zarr (OME-TIFF, OME-Zarr).")] = "tif",
    kind: Annotated[str | None, typer.Option("--as", help="image, labels or probability [default: what the file says].")] = None,
    voxel_nm: Voxel = None,
    channel: ColourChannel = None,
    overwrite: Replace = False,
) -> None:
    """Cut the sections of a stack into quarters: a is below right, b above right, c above left, d below left.

    Example: `neurotome prepare quadrants train-input.tif -o quadrants --voxel-nm 30 6 6`
    """
    from neurotome.flows import write_quadrants

    if kind is not None and kind not in KINDS:
        raise UnknownNameError("kind of volume", kind, KINDS)
    console = Console(highlight=False)
    options = {"voxel_nm": voxel_nm, "channel": channel, "overwrite": overwrite}
    with Bars(console) as bars:
        paths = write_quadrants(stack, out, file_format=format_, kind=kind, progress=bars, **options)  # type: ignore[arg-type]
    for path in paths:
        console.print(str(path), soft_wrap=True)


@app.command()
def targets(
    labels: Annotated[str, typer.Argument(help="Label volume; 0 is background.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Probability volume to write, by custom NAME.ome.zarr.")],
    channel: Annotated[
        list[str], typer.Option("--channel", help="membrane, inside, cytoplasm, overlap or affinity:z,y,x; repeat for several.")
    ],
    shrink: Annotated[int, typer.Option(help="Rim set to 0 inside each label before affinities are made, in pixels.")] = 0,
    drop_last: Annotated[
        bool, typer.Option("--drop-last", help="With overlap alone: leave out its last plane, which joins nothing.")
    ] = False,
    voxel_nm: Voxel = None,
    overwrite: Replace = False,
) -> None:
    """Make the maps a perfect network would answer from labels: 0 or 255, channels by name.

    Example: `neurotome prepare targets labels.tif -o truth.ome.zarr --channel cytoplasm --channel overlap`
    """
    from neurotome.flows import write_targets

    console = Console(highlight=False)
    options = {"shrink": shrink, "drop_last": drop_last, "voxel_nm": voxel_nm, "overwrite": overwrite}
    with Bars(console) as bars:
        grid = write_targets(labels, out, channels=tuple(channel), progress=bars, **options)  # type: ignore[arg-type]
    console.print(f"{out}: {', '.join(channel)}, {' x '.join(map(str, grid.shape))} voxels", soft_wrap=True)


@app.command()
def consecutive(
    stack: Annotated[str, typer.Argument(help="Image stack; of several channels, the first is taken.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for the pictures.")],
    format_: Annotated[str, typer.Option("--format", help="png or tif.")] = "png",
    voxel_nm: Voxel = None,
    overwrite: Replace = False,
) -> None:
    """Write each section with the one that follows as one colour picture: red is section i, green is i + 1, blue is 0.

    Example: `neurotome prepare consecutive membranes.tif -o pairs`
    """
    from neurotome.flows import write_consecutive

    console = Console(highlight=False)
    with Bars(console) as bars:
        count = write_consecutive(stack, out, file_format=format_, voxel_nm=voxel_nm, overwrite=overwrite, progress=bars)
    console.print(f"{count} pictures in {out}", soft_wrap=True)


@app.command("clean-overlap")
def clean_overlap(
    probability: Annotated[str, typer.Argument(metavar="PROB", help="Probability volume with the channel overlap.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Probability volume to write, by custom NAME.ome.zarr.")],
    threshold: Annotated[int, typer.Option(help="Grey value (1 to 255) from which a pixel counts.")] = 127,
    erosions: Annotated[int, typer.Option(help="Pixels taken off every blob on each side.")] = 10,
    skeletonise: Annotated[bool, typer.Option("--skeletonise/--no-skeletonise", help="Thin what is left to lines.")] = True,
    voxel_nm: Voxel = None,
    channel: Channels = None,
    overwrite: Replace = False,
) -> None:
    """Erode and thin the overlap map of every section, as the reference does before it links; other channels stay.

    It costs links: at 6 nm per pixel, ten erosions cut off everything thinner than about 120 nm.
    """
    from neurotome.flows import clean_overlap_file

    console = Console(highlight=False)
    with Bars(console) as bars:
        clean_overlap_file(
            probability,
            out,
            threshold=threshold,
            erosions=erosions,
            skeletonise=skeletonise,
            channels=tuple(channel) if channel else None,
            voxel_nm=voxel_nm,
            overwrite=overwrite,
            progress=bars,
        )
    console.print(f"written: {out}", soft_wrap=True)
