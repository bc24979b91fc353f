"""What holds for all tests."""

from __future__ import annotations

from typing import Any, Final

import hypothesis
import pytest

# No test may fail because a machine is busy, and the quick ones do the same at every run: what they
# try follows from their own code. `make test-long` tries others, more of them, with the second.
_PATIENT: Final[dict[str, Any]] = {
    "deadline": None,
    "suppress_health_check": [hypothesis.HealthCheck.too_slow],
}
hypothesis.settings.register_profile("same", derandomize=True, **_PATIENT)
hypothesis.settings.register_profile("other", max_examples=1_000, print_blob=True, **_PATIENT)
hypothesis.settings.load_profile("same")


def pytest_configure(config: pytest.Config) -> None:
    # In a worker of xdist pytest-cov 7 begins to measure twice, one inside the other. Nothing is
    # kept of the outer one, but it takes over, at full cost, where `no_cover` pauses the inner.
    cov = config.pluginmanager.getplugin("_cov")
    if hasattr(config, "workerinput") and cov is not None and cov.cov_controller is not None:
        cov.cov_controller.cov.stop()
