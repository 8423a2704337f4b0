"""Fills outputs, figures, values and claims into the pages. Knows no site generator."""
