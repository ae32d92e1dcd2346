"""What others get: weights as safetensors with a specification."""
