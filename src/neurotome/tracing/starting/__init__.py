"""starting: what is neurite, and where do trees begin?

foreground.py (the threshold, the pieces), soma.py, seeds.py and seed_file.py (start points), separate.py (what belongs to which
soma), starts.py (all of it together), caat.py (the rules of CAAT).
"""
