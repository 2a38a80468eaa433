# SPDX-License-Identifier: MIT
"""The runner of the native tests; see ../run.py."""
