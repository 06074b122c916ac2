"""The product's verbs, in a few readable lines each. They know ports, never an adapter."""
