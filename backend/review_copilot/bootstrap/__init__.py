"""Settings in, working parts out: the only place that chooses concrete classes. Import its modules one by one."""
