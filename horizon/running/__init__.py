"""Runs in real time: a pipeline or strategies on live, recorded or made-up feeds, on paper."""

from __future__ import annotations

from horizon.running.handle import RunHandle, handles
from horizon.running.launch import run
from horizon.running.status import RunStatus

__all__ = ["RunHandle", "RunStatus", "handles", "run"]
