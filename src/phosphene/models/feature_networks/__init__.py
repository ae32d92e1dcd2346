"""Networks whose values describe pictures, trained elsewhere and frozen."""
