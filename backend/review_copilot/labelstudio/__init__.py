"""The wire to and from Label Studio: the only place that knows `from_name`, percent and region JSON."""
