"""Numbers from arrays: scores, baselines and controls."""
