"""An interrupt takes effect between commands, never inside one.

Each story runs in a process of its own: a stray interrupt must not end the test run.
"""

import subprocess
import sys
import textwrap


def run(story: str) -> str:
    """Run a story in a fresh interpreter and return what it prints; it must end well."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(story)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_an_interrupt_inside_a_command_waits_for_its_end() -> None:
    shown = run(
        """
        import signal, time
        import horizon as hz

        ex = hz.connect("paper", initial_cash_usd=10_000, clock=lambda: 0.0)
        ex.tick("ACME", 100.0)

        def interrupt_before_the_fill(event):
            if event[0] == "filled":
                signal.raise_signal(signal.SIGINT)

        ex.engine.venue.subscribe(interrupt_before_the_fill)
        try:
            ex.buy("ACME", 10, market=True)
            time.sleep(30)  # the interrupt is sent again within milliseconds
        except KeyboardInterrupt:
            print(ex.balance().cash, [p.quantity for p in ex.positions()])
        """
    )
    # 10 x 100 are paid for and held: both halves of the fill have happened.
    assert shown == "9000.0 [10.0]"


def test_an_interrupt_between_commands_is_raised_at_once() -> None:
    shown = run(
        """
        import signal
        import horizon as hz

        ex = hz.connect("paper")
        try:
            signal.raise_signal(signal.SIGINT)
            print("put off although no command was running")
        except KeyboardInterrupt:
            print("raised")
        """
    )
    assert shown == "raised"


def test_a_program_that_ignores_interrupts_is_left_alone() -> None:
    shown = run(
        """
        import signal
        import horizon as hz

        signal.signal(signal.SIGINT, signal.SIG_IGN)
        ex = hz.connect("paper")
        print(signal.getsignal(signal.SIGINT) is signal.SIG_IGN)
        """
    )
    assert shown == "True"


def test_interrupted_trading_keeps_the_books_and_the_events_agree() -> None:
    shown = run(
        """
        import random, signal, threading
        import horizon as hz
        from horizon.venues import Paper
        from horizon.venues.events import replay, state_of

        chance = random.Random(11)
        paper = Paper(1e6, fee_bps=5, clock=lambda: 0.0)
        events = []
        paper.subscribe(events.append)
        ex = hz.connect(paper)
        interrupts = 0
        while interrupts < 25:
            wait = chance.uniform(0.0005, 0.004)
            timer = threading.Timer(wait, signal.raise_signal, [signal.SIGINT])
            try:
                timer.start()  # on a busy machine it may fire before the next line
                while True:
                    ex.tick("ACME", chance.uniform(90.0, 110.0))
                    (ex.buy if chance.random() < 0.5 else ex.sell)("ACME", 1, market=True)
            except KeyboardInterrupt:
                interrupts += 1
            timer.join()
        fills = paper.fill_history()
        signed = [f.quantity if f.side == "buy" else -f.quantity for f in fills]
        cost = sum(q * f.price for q, f in zip(signed, fills))
        assert abs(paper.cash() - (1e6 - cost - sum(f.fee for f in fills))) < 1e-6
        assert sum(p.quantity for p in paper.positions()) == sum(signed)
        assert not paper.open_orders()
        assert state_of(replay(1e6, events)) == state_of(paper.account)
        print("kept")
        """
    )
    assert shown == "kept"
