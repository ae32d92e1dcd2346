"""Recordings with a planted signal and a known best-possible accuracy."""
