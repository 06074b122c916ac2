"""What people read: tables, CSV, JSONL, HTML. Knows numbers and wording, no database."""
