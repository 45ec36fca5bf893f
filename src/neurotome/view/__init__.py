"""view: may I look at it, in three dimensions?

Question: what does the result look like, and what is at this place?
Takes: the folder of a run. Gives: a neuroglancer viewer in the browser, and its state as view.json. Works offline.
May import: anything below.
Read first: `state.py` (which layers), then `volumes.py` (how boxes are read), then `server.py`.
"""

from neurotome.view.server import RunView, open_view
from neurotome.view.state import build_state

__all__ = ["RunView", "build_state", "open_view"]
