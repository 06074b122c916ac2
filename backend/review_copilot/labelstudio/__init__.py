"""Talk to Label Studio: the only package that knows `from_name`, percent coordinates, and region JSON."""
