"""Check an installation and a project, and name the line that fixes each fault."""
