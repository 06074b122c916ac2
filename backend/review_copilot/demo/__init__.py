"""A real Label Studio beside the backend, for `make demo` and for the end-to-end tests."""
