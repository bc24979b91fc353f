"""What holds for all tests."""

from __future__ import annotations

import hypothesis
import pytest

# No test may fail because a machine is busy.
hypothesis.settings.register_profile("horizon", deadline=None)
hypothesis.settings.load_profile("horizon")


def pytest_configure(config: pytest.Config) -> None:
    # In a worker of xdist pytest-cov 7 begins to measure twice, one inside the other. Nothing is
    # kept of the outer one, but it takes over, at full cost, where `no_cover` pauses the inner.
    cov = config.pluginmanager.getplugin("_cov")
    if hasattr(config, "workerinput") and cov is not None and cov.cov_controller is not None:
        cov.cov_controller.cov.stop()
