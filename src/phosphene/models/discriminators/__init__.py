"""Networks that tell real pictures from generated ones."""
