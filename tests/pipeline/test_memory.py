"""The allocator keeps what it is told to keep."""

import subprocess
import sys

PROBE = """
import resource, sys
import numpy as np
from pipeline.memory import keep_big_blocks
if sys.argv[1] == "keep":
    assert keep_big_blocks()
def step():
    arrays = [np.ones(3_000_000, np.float32) for _ in range(6)]
    del arrays
for _ in range(3):
    step()
start = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - start)
"""


def faults(how):
    done = subprocess.run([sys.executable, "-c", PROBE, how], capture_output=True, text=True, check=True)
    return int(done.stdout)


def test_large_arrays_are_not_faulted_in_again():
    assert faults("keep") < faults("leave") / 4
