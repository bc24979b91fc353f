"""Runs in real time: a pipeline or strategies on live, recorded or made-up feeds, on paper."""

from __future__ import annotations

from horizon.running.handle import RunHandle, handles
from horizon.running.health import FeedHealth
from horizon.running.launch import run
from horizon.running.problems import Problem
from horizon.running.status import RunStatus

__all__ = ["FeedHealth", "Problem", "RunHandle", "RunStatus", "handles", "run"]
