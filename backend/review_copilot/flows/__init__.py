"""What the product does, in a few readable lines each. Flows know ports, never an adapter."""
