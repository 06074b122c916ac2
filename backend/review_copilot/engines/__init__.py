"""Run a bulk run on the threads of this process, or on a Ray cluster. Knows the setup, but no settings."""
