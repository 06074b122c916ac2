"""`python -m review_copilot.cli`, for when the command is not on the path."""

from review_copilot.cli import main

if __name__ == "__main__":
    main()
