"""The copilot drafts, the reviewer decides, the log learns.

A Label Studio ML backend that suggests defects by a written guideline and learns from every override.
Importing this package does nothing.
"""

__version__ = "0.1.0"
