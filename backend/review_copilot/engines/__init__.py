"""How a bulk run is spread: over the threads of this process, or over a Ray cluster. Knows the context, no settings."""
