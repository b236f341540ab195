"""`python -m faceward.cli`, the same as `faceward`."""

from faceward.cli import main

if __name__ == "__main__":
    main()
