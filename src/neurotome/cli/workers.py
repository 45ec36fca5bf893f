"""Who does the work on blocks: the options of every command that has some."""

from __future__ import annotations

from typing import Annotated

import typer

from neurotome.core import InputError

__all__ = ["BlockShape", "Scheduler", "Slurm", "Workers", "parsed_slurm"]

Workers = Annotated[int, typer.Option("--workers", help="Processes on this machine, or jobs with --slurm; 1 is this process.")]
Scheduler = Annotated[
    str | None, typer.Option("--scheduler", metavar="tcp://HOST:PORT", help="A running Dask scheduler, with its own workers.")
]
Slurm = Annotated[
    str | None,
    typer.Option("--slurm", metavar="NAME=VALUE,...", help="Ask SLURM for the workers, e.g. partition=cpu,walltime=04:00:00."),
]
BlockShape = Annotated[
    tuple[int, int, int] | None,
    typer.Option("--block", metavar="Z Y X", help="Shape of the blocks in voxels [default: less than 2 GB per worker]."),
]


def parsed_slurm(text: str | None) -> dict[str, str] | None:
    """The options of --slurm by name; None where it was not given.

    >>> parsed_slurm("partition=cpu, account=lab")
    {'partition': 'cpu', 'account': 'lab'}
    """
    if text is None:
        return None
    options = {}
    for word in text.split(","):
        name, equals, value = (part.strip() for part in word.partition("="))
        if not (name and equals and value):
            raise InputError(f"--slurm {text}", "NAME=VALUE, several with commas", "for example --slurm partition=cpu")
        options[name] = value
    return options
