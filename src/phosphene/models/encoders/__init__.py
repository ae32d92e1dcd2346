"""Networks from signals to features."""
