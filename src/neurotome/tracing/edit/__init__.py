"""edit: a person corrects a tree, and every step can be taken back, repeated and checked.

Question: what does the tree look like after this click?
Takes: a Skeleton, an operation with its arguments, and for two of them the Bricks it was traced in. Gives: the new Skeleton.
May import: what `tracing` may.
Read first: `editor.py`, then `nodes.py`; the table of operations is `operations.py`.

    Editor.do("move_node", node=5, point_nm=(0, 10, 20))
       |  plain_arguments   the signature of the operation says what it takes
       |  move_node(bench, node=5, ...) -> new tree     pure: a refusal changes nothing
       |  Change            what differs, kept for undo and redo
       `- Entry             one line of the log, with the hash of the tree before and after

What is locked, nobody changes; what a hand has placed (drawn) or confirmed (an accepted bridge), no automatic step changes.
"""

from neurotome.tracing.edit.bench import Bench
from neurotome.tracing.edit.change import Change
from neurotome.tracing.edit.editor import Editor
from neurotome.tracing.edit.log import Entry, log_text, read_entries, tree_hash
from neurotome.tracing.edit.operations import HISTORY, OPERATIONS, Argument, Operation, operation_names, plain_arguments

__all__ = [
    "HISTORY",
    "OPERATIONS",
    "Argument",
    "Bench",
    "Change",
    "Editor",
    "Entry",
    "Operation",
    "log_text",
    "operation_names",
    "plain_arguments",
    "read_entries",
    "tree_hash",
]
