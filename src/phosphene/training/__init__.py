"""Fit loop, checkpoints and one train step per kind; knows no data set and no architecture."""
