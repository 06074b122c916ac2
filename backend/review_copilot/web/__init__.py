"""The HTTP side: the ML-backend protocol, webhooks, health. The only place that knows Flask."""
