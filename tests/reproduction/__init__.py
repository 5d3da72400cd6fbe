"""Tests of the reproduction, which share `made`."""
