"""cli: the command line door.

Question: what does somebody type?
Takes: words typed in a shell. Gives: flows started, progress shown, errors in one line, exit codes.
May import: anything below. Computes nothing.
Read first: `main.py`.
"""
