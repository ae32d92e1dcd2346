"""Figures, tables and one HTML page from a run folder."""
