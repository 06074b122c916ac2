"""Run Label Studio and the backend, for `make demo` and the end-to-end tests."""
