"""The version of the SDK; every record names it."""

VERSION = "0.1.0"
