"""Record that the photo inspector's drafts are as before, or that they are new.

    python training/record_version.py          # files changed, drafts did not: projects keep their drafts
    python training/record_version.py --new    # drafts changed: every project is drafted anew at its next run

Run it after each change of `backend/photo_inspector`; a test fails until you do. "As before" means the same findings,
scores, boxes and texts for the same image: compare them before you say so.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import photo_inspector
from review_copilot.plugin import hash_of_package
from review_copilot.plugin.package_hash import VERSION_FILE


def main() -> None:
    """Write the version file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--new", action="store_true", help="The drafts changed.")
    options = parser.parse_args()
    path = Path(photo_inspector.__file__).with_name(VERSION_FILE)
    files = hash_of_package("photo_inspector")
    version = files if options.new or not path.exists() else json.loads(path.read_text(encoding="utf-8"))["version"]
    path.write_text(json.dumps({"files": files, "version": version}, indent=2) + "\n", encoding="utf-8")
    print(f"files {files}, draft version {version}")


if __name__ == "__main__":
    main()
