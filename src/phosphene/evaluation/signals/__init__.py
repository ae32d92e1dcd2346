"""Scores of generated signals: their distribution, their spectrum, and whose picture they are."""
