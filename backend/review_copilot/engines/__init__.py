"""How a bulk run is spread: over threads of this process, or over a cluster."""
