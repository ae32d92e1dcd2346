"""One experiment for all recipes from signals to pictures: same folds, judges, controls, scores."""
