"""Networks from noise and features to pictures."""
