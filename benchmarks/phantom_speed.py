"""Seconds for the default phantom, 64 x 512 x 512, on one core: the claim is at most 30.

    OMP_NUM_THREADS=1 NUMBA_NUM_THREADS=1 python benchmarks/phantom_speed.py

The first line is a tiny phantom, which includes loading (or, once per installation, compiling) the kernels.
"""

import resource
import time

from neurotome.datasets import phantom


class Clock:
    def __init__(self):
        self.cpu, self.wall, self.steps = time.process_time(), time.perf_counter(), []

    def __call__(self, what, done, total):
        self.steps.append((what.removeprefix("phantom: "), *self.lap()))

    def lap(self):
        cpu, wall = time.process_time(), time.perf_counter()
        passed = cpu - self.cpu, wall - self.wall
        self.cpu, self.wall = cpu, wall
        return passed


def main():
    clock = Clock()
    phantom.make(phantom.PhantomSpec(shape=(4, 48, 48)))
    rows = [("4 x 48 x 48 and loading the kernels", *clock.lap())]
    phantom.make(phantom.PhantomSpec(seed=1), progress=clock)
    total = [sum(step[i] for step in clock.steps) for i in (1, 2)]
    rows += [*clock.steps, ("64 x 512 x 512 in all", *total), ("Mvoxel/s", *(64 * 512 * 512 / 1e6 / t for t in total))]
    print(f"| {'step':<36} | CPU s | wall s |\n|{'-' * 38}|------:|-------:|")
    for what, cpu, wall in rows:
        print(f"| {what:<36} | {cpu:5.2f} | {wall:6.2f} |")
    print(f"\npeak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")


if __name__ == "__main__":
    main()
