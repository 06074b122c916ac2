"""Numbers from overrides: rates, gaps, patterns, agreement, calibration. Pure functions, no I/O."""
