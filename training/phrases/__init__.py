"""Records written by hand with phrases that fit them and phrases that do not.

For whatever judges records by phrases. Knows no model.
"""
