"""Sensitivity: what a tolerance would take in, before anybody signs one."""
