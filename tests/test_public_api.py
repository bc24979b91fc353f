"""The public names: one list, all there, all documented."""

import dataclasses
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import horizon as hz

# A name is public when it is added here and to horizon.__all__, on purpose.
EXPECTED = {
    "AlgoError",
    "AlgoProgress",
    "AmendPreview",
    "AssetClass",
    "BacktestResult",
    "BollingerZ",
    "CpcvResult",
    "Crypto",
    "DataError",
    "EMA",
    "Engine",
    "EngineStatus",
    "EqualWeight",
    "Equity",
    "ExecAlgo",
    "Feature",
    "FeedError",
    "Fill",
    "FixedNotional",
    "HorizonError",
    "Iceberg",
    "ImperativeClient",
    "Kelly",
    "Market",
    "Metrics",
    "ModelError",
    "MovingAverageCross",
    "Option",
    "OrderAction",
    "OrderError",
    "OrderPreview",
    "OrderRequest",
    "OrderSide",
    "Paper",
    "Perp",
    "PipelineError",
    "Played",
    "Position",
    "Prediction",
    "Price",
    "Quote",
    "RSI",
    "RealizedVol",
    "Return",
    "RiskConfig",
    "RiskRejected",
    "RunHandle",
    "RunStatus",
    "Searched",
    "SMA",
    "Side",
    "Signal",
    "SignalExecution",
    "Strategy",
    "Taking",
    "TWAP",
    "Tearsheet",
    "Urgency",
    "VWAP",
    "VenueCapital",
    "VenueError",
    "VenueFill",
    "VenueOrder",
    "VenuePosition",
    "VenueQuote",
    "VenueSettlement",
    "VolTarget",
    "WalkForwardResult",
    "Zscore",
    "analytics",
    "backtest",
    "backtesting",
    "calibration_curve",
    "check_lookahead",
    "connect",
    "cpcv",
    "edge_decay",
    "errors",
    "feeds",
    "figures",
    "generate_tearsheet",
    "load_result",
    "log_loss",
    "quotes",
    "register_venue",
    "run",
    "running",
    "strategies",
    "strategy",
    "volume_profile",
    "walk_forward",
    "walkforward",
    "widgets",
    "workbench",
}


def undocumented(obj: object) -> bool:
    """Whether a class, function or module lacks words of its own."""
    if not (inspect.isclass(obj) or inspect.isroutine(obj) or inspect.ismodule(obj)):
        return False  # a plain value has no place for a docstring
    doc = (obj.__doc__ or "").strip()
    # A data class without a docstring gets its signature as one.
    signature_only = dataclasses.is_dataclass(obj) and doc.startswith(f"{obj.__name__}(")
    return not doc or signature_only


def test_all_is_the_list_that_is_meant() -> None:
    assert set(hz.__all__) == EXPECTED


def test_all_names_nothing_twice() -> None:
    assert len(hz.__all__) == len(set(hz.__all__))


@pytest.mark.parametrize("name", sorted(hz.__all__))
def test_public_name_exists_and_is_documented(name: str) -> None:
    assert not undocumented(getattr(hz, name)), f"hz.{name} has no docstring"


def test_dir_shows_exactly_the_public_names() -> None:
    assert {name for name in dir(hz) if not name.startswith("_")} == set(hz.__all__)


def test_package_has_a_docstring_and_a_version() -> None:
    assert hz.__doc__
    assert hz.__version__[0].isdigit()


def test_every_name_is_reachable_from_a_bare_import() -> None:
    # In a fresh interpreter: here, other tests may have loaded the submodules already.
    code = "import horizon as hz\nfor name in hz.__all__: getattr(hz, name)\nhz.feeds.__name__"
    root = Path(__file__).resolve().parents[1]
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, cwd=root, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_unknown_name_raises_attribute_error_that_names_it() -> None:
    with pytest.raises(AttributeError, match="conect"):
        _ = hz.conect  # type: ignore[attr-defined]


def test_documentation_check_sees_a_class_without_words() -> None:
    @dataclasses.dataclass
    class Bare:
        price: float

    class Empty:
        pass

    assert undocumented(Bare)
    assert undocumented(Empty)
    assert not undocumented(inspect)
