"""A CPU lane that all tests of one process share."""

from __future__ import annotations

from visionlab_inference.lanes import CpuLanes

ONE_LANE = CpuLanes(1)
