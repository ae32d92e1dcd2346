"""Networks from corrupted pictures to whole ones."""
