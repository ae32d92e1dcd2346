"""Networks from pictures to classes."""
