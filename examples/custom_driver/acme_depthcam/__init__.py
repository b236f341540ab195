"""A driver for the Acme depth camera."""
