"""Recordings with a planted, known signal and a known best-possible accuracy."""
