# SPDX-License-Identifier: ISC
"""Simulators of the vendors, for tests. README.md says what they do and where that is written."""
