"""`neurotome`: the commands, and what happens when one of them fails."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from typing import Annotated

import typer
from rich.console import Console

from neurotome import __version__
from neurotome.cli import boundary, data, experiment, files, morphology, neurons, prepare, reconstruct, synapses, trace, tracing
from neurotome.core import NeurotomeError

__all__ = ["app", "main"]

app = typer.Typer(
    help="From microscope volumes to neurons. Start with `neurotome demo`, then `neurotome reconstruct my_stack.tif`.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (
    reconstruct.demo,
    reconstruct.reconstruct,
    experiment.experiment,
    files.view,
    files.score,
    files.convert,
    files.export,
    files.info,
):
    app.command()(command)
app.add_typer(boundary.app, name="boundary")
app.add_typer(neurons.app, name="neurons")
app.add_typer(trace.app, name="trace")
app.add_typer(tracing.app, name="tracing")
app.add_typer(morphology.app, name="morphology")
app.add_typer(synapses.app, name="synapses")
app.add_typer(data.app, name="data")
app.add_typer(prepare.app, name="prepare")

INTERRUPTED = 130
_state = {"debug": False}


def _show_version(wanted: bool) -> None:
    if wanted:
        Console().print(f"neurotome {__version__}", highlight=False)
        raise typer.Exit


@app.callback()
def options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the whole traceback when something fails.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Say more about what is done.")] = False,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and stop.", is_eager=True, callback=_show_version)
    ] = False,
) -> None:
    """Options of every command."""
    _state["debug"] = debug
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_first_time())
    logging.basicConfig(level=logging.INFO if verbose else logging.WARNING, format="%(message)s", handlers=[handler])
    # What neurotome itself has to say (a file left out, a picture converted) is never hidden.
    logging.getLogger("neurotome").setLevel(logging.DEBUG if verbose else logging.INFO)


def main() -> None:
    """Run a command; deliberate errors become one line and an exit code."""
    _state["debug"] = "--debug" in sys.argv
    try:
        app()
    except NeurotomeError as error:
        if _state["debug"]:
            raise
        _say(str(error))
        sys.exit(error.exit_code)
    except OSError as error:
        if _state["debug"]:
            raise
        place = f": '{error.filename}'" if error.filename else ""
        _say(f"{error.strerror or error}{place}. Remedy: check the path, and that it may be written.")
        sys.exit(2)
    except SystemExit as stop:
        if stop.code == INTERRUPTED:  # Typer has turned Ctrl-C into an exit before it could be caught here
            _say("Interrupted. What is finished is kept: run the same command again to go on.")
        raise
    except MemoryError as error:
        if _state["debug"]:
            raise
        _say(f"Out of memory ({error}). Remedy: crop the volume, or use a machine with more memory.")
        sys.exit(1)


def _first_time() -> Callable[[logging.LogRecord], bool]:
    """Lets a message through once: what is wrong with a file would be said at each reading."""
    said: set[str] = set()

    def is_new(record: logging.LogRecord) -> bool:
        message = record.getMessage()
        new = message not in said
        said.add(message)
        return new

    return is_new


def _say(message: str) -> None:
    Console(stderr=True, soft_wrap=True, highlight=False, markup=False).print(f"neurotome: {message}")


if __name__ == "__main__":
    main()
