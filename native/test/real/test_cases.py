# SPDX-License-Identifier: MIT
"""A pytest run, its directory and number of steps in REAL_DIR and REAL_STEPS."""

import os
import time

import pytest

DIRECTORY = os.environ["REAL_DIR"]
SEEN = []


@pytest.fixture(scope="session")
def warm():
    return {n: n * n for n in range(200000)}


@pytest.mark.parametrize("step", range(1, int(os.environ["REAL_STEPS"]) + 1))
def test_step(warm, tmp_path, step):
    SEEN.append(step)
    assert SEEN == list(range(1, step + 1))
    (tmp_path / "note").write_text(str(warm[step]))
    time.sleep(0.03)
    assert int((tmp_path / "note").read_text()) == step * step
    with open(os.path.join(DIRECTORY, "progress"), "a") as f:
        f.write(f"{step}\n")
