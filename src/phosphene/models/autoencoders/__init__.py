"""Networks from pictures or signals to what a decoder makes them from."""
