"""Campaigns: many presentations through the whole path, firmware bytes to verdict, as lines of results.

This package is a tester as the conformance kit is: it imports the SDK, by `faceward`, `faceward.pad` and
`faceward.trial`, and nothing of the simulator's imports it but the command line. It is installed with
faceward-sim[campaign].
"""
