"""The making of boundary networks: from annotated stacks and a recipe to a model folder.

recipe.py      what may be said             volume_files.py   files -> annotated.py: image and truth in memory
from_files.py  a recipe from two files      patches.py        what a network sees, augmented; preview.py shows it
train.py       one network                  judge.py          V_rand of whole sections after each epoch
translate.py   image to image               pictures.py       the same sections after each epoch
preparation.py what both need to be carried out, and the folder they leave
"""
