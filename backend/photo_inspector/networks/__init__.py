"""Two small networks and their weights. Knows no guideline."""
