"""The end of a run in real time: what rests is cancelled, and the result is made and written."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from horizon.backtesting.ending import record_of
from horizon.backtesting.result import BacktestResult

if TYPE_CHECKING:
    from horizon.running.session import Session

__all__ = ["close"]

_log = logging.getLogger("horizon.run")
#: Why orders and algorithms end with the run.
_REASON: Final = "the run has ended"


def close(session: Session) -> None:
    """End a session of which nobody hears any more rows.

    Each part is tried, whatever becomes of the one before: a strategy whose `on_stop` fails must
    not keep its orders from being cancelled, nor a full disk the result from being made.
    """
    plan = session.plan
    if session.player is not None:
        session.player.end("stopped")
    if session.intake.is_open:
        for part in (_come_to_the_end, _at_least_one_point, _finish, _cancel_all, _make_result):
            _attempt(session, part)
    if session.recorder is not None:
        _attempt(session, _end_recording)
    if plan.save is not None and session.result is not None:
        _attempt(session, _save)
    session.engine.end_run()


def _attempt(session: Session, part: Callable[[Session], object]) -> None:
    try:
        part(session)
    except Exception as error:
        if session.error is None:
            session.error, session.stopped_by = error, "error"
        else:
            _log.exception("%s: failed as the run ended", session.plan.name)


def _come_to_the_end(session: Session) -> None:
    """Do what is due until the run's last moment, let strategies have their say, lose all feeds.

    A recording ends with those last rows, just after everything else: it says how far time has
    come, also where nothing was heard any more.
    """
    plan, intake, loop = session.plan, session.intake, session.loop
    if intake.first_ns is None:
        return
    end_ns = intake.last_ns
    if plan.is_live:
        end_ns = max(min(session.clock(), intake.end_ns), end_ns)
    elif session.stopped_by == "duration" and plan.duration_ns is not None:
        end_ns = max(intake.first_ns + plan.duration_ns, end_ns)
    intake.come_to(end_ns)
    if loop.desk is not None:
        loop.desk.stop(end_ns)
    # Rows that have all been played end the run by themselves, and time goes no further.
    intake.say_goodbye(end_ns + 1, to_all=session.stopped_by != "end")


def _at_least_one_point(session: Session) -> None:
    """Without one row, what there was at the start is what there is."""
    loop = session.loop
    if not loop.equity:
        assert loop.times is not None
        loop.now_ns = session.clock()
        loop.equity.append(session.plan.capital)
        loop.times.append(loop.now_ns)


def _finish(session: Session) -> None:
    session.loop.finish()


def _cancel_all(session: Session) -> None:
    venue = session.engine.venue
    with venue.lock:
        # From here on an order, of another thread's, would be in no result.
        session.engine.hold("ended", _REASON)
        # At once, also where a cancel would travel: nobody waits for its arrival any more.
        for order in list(venue.account.open_orders.values()):
            venue.apply.cancelled(venue.now_ns(), order.id, _REASON)
        session.engine.stop_algos(None, _REASON)


def _make_result(session: Session) -> None:
    plan, loop, intake = session.plan, session.loop, session.intake
    session.result = BacktestResult(
        record_of(
            loop,
            name=plan.name,
            capital=plan.capital,
            contracts=plan.markets,
            feed_of=plan.feed_of,
            outcomes={},
            dropped={},
            config={
                **plan.config,
                "stopped_by": session.stopped_by,
                "rows": intake.messages,
                "refused_rows": intake.refused,
                "cycles": intake.cycles,
                "overruns": intake.overruns,
                "first_ns": loop.now_ns if intake.first_ns is None else intake.first_ns,
                "last_ns": loop.now_ns,
            },
            periods_per_year=None,
            replayed=None,
        )
    )


def _end_recording(session: Session) -> None:
    recorder = session.recorder
    assert recorder is not None
    if len(recorder):
        recorder.close(session.facts())
    else:
        recorder.discard()


def _save(session: Session) -> None:
    assert session.result is not None
    assert session.plan.save is not None
    try:
        session.result.save(session.plan.save)
    except Exception as error:
        error.add_note(f"raised as the result of {session.plan.name!r} was saved")
        raise
