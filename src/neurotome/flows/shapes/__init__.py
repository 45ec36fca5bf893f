"""flows.shapes: neurons in; vectors, maps, groups, scores, encoders and rebuilt neurons out. Read first: `embed.py`."""

from neurotome.flows.shapes.classify import classify_shapes
from neurotome.flows.shapes.embed import EmbedJob, embed_shapes, report_shapes
from neurotome.flows.shapes.rebuild import rebuild_shapes
from neurotome.flows.shapes.search import search_shapes
from neurotome.flows.shapes.train import train_encoder

__all__ = [
    "EmbedJob",
    "classify_shapes",
    "embed_shapes",
    "rebuild_shapes",
    "report_shapes",
    "search_shapes",
    "train_encoder",
]
