"""Who does the work: processes of this machine, or a Dask cluster. Either way an order ends in trials or in a reason."""

from __future__ import annotations

import contextlib
import faulthandler
import multiprocessing
import os
import secrets
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import Any, Protocol

from faceward.trial import Trial

from faceward_sim.campaign.presenting import Order, SetUpError, present

LIMIT_S = 900.0  # a grant of three captures takes a minute; whoever takes so long has hung
WORKER_DIED = "worker-died"

Present = Callable[[Order], tuple[Trial, ...]]


class CrewError(RuntimeError):
    """There is nobody to do the work; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Done:
    """What came of an order: its trials, or the code of what went wrong around them and all that is known of it."""

    order: Order
    trials: tuple[Trial, ...] = ()
    code: str | None = None
    error: str = ""


class Crew(Protocol):
    """Works orders off, in whatever order they end."""

    def work(self, orders: Iterable[Order]) -> Iterator[Done]:
        """Each order's end, once. Raises CrewError."""
        ...

    def close(self) -> None:
        """Take no more; what runs ends first. Idempotent."""
        ...


class LocalCrew:
    """So many processes of this machine. One that dies costs the order that it worked on, and is replaced."""

    def __init__(self, jobs: int, *, limit_s: float = LIMIT_S, task: Present = present) -> None:
        if jobs < 1:
            raise CrewError("a campaign needs one job at least")
        self._limit_s = limit_s
        self._task = task
        # A pool of one process each: when it breaks, it is known by what.
        self._pools = [self._pool() for _ in range(jobs)]

    def _pool(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), _begin)

    def work(self, orders: Iterable[Order]) -> Iterator[Done]:
        waiting = iter(orders)
        running: dict[Future[tuple[Trial, ...]], tuple[int, Order]] = {}
        idle = list(range(len(self._pools)))
        while True:
            while idle and (order := next(waiting, None)) is not None:
                place = idle.pop()
                future = self._pools[place].submit(_within, self._task, order, self._limit_s)
                running[future] = (place, order)
            if not running:
                return
            ended, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in ended:
                place, order = running.pop(future)
                try:
                    done = Done(order, future.result())
                except BrokenProcessPool:
                    self._pools[place].shutdown(wait=False)
                    self._pools[place] = self._pool()
                    done = Done(order, code=WORKER_DIED, error=f"the process died, or hung for {self._limit_s:.0f} s")
                except Exception as error:  # noqa: BLE001 - whatever breaks is a result
                    done = _broken(order, error)
                idle.append(place)
                yield done

    def close(self) -> None:
        for pool in self._pools:
            pool.shutdown(wait=True, cancel_futures=True)


class DaskCrew:
    """The workers of a cluster, which have faceward-sim[campaign] and the face models installed."""

    def __init__(self, address: str, *, task: Present = present, timeout_s: float = 20.0) -> None:
        """Raises CrewError: distributed is not installed, no scheduler at the address, or one without workers."""
        try:
            from distributed import Client
        except ModuleNotFoundError:
            raise CrewError("--dask needs distributed; install faceward-sim[dask]") from None
        self._task = task
        try:
            self._client = Client(address, timeout=timeout_s, set_as_default=False)
        except (OSError, ValueError, TimeoutError) as error:
            raise CrewError(f"no Dask scheduler answers at {address}: {error}") from None
        try:
            self._client.wait_for_workers(1, timeout=timeout_s)
        except TimeoutError:
            self._client.close()
            raise CrewError(f"the Dask scheduler at {address} has no workers") from None

    def work(self, orders: Iterable[Order]) -> Iterator[Done]:
        from distributed import as_completed

        futures = {}
        run = secrets.token_hex(8)  # a scheduler answers a key once, whoever asks, and grants of campaigns are named alike
        for order in orders:
            key = f"faceward-{run}-{order.entry.grant_id}"
            future: Any = self._client.submit(self._task, order, key=key, pure=False)
            futures[future] = order
        for future in as_completed(list(futures), loop=self._client.loop):
            order = futures.pop(future)
            if future.status == "cancelled":
                raise CrewError("the Dask scheduler is gone; run the same command again to go on")
            error = future.exception()
            if error is None:
                yield Done(order, future.result())
            elif type(error).__name__ == "KilledWorker":
                yield Done(order, code=WORKER_DIED, error=str(error))
            else:
                yield _broken(order, error)

    def close(self) -> None:
        self._client.close()


def _broken(order: Order, error: BaseException) -> Done:
    if isinstance(error, SetUpError):
        raise CrewError(str(error)) from None
    code = getattr(error, "code", None)
    known = code if isinstance(code, str) else f"exception {type(error).__name__}"
    return Done(order, code=known, error=f"{type(error).__name__}: {error}")


def _begin() -> None:
    """In each process: it leaves interrupts to whoever started it, and ends with them."""
    for ending in (signal.SIGINT, signal.SIGTERM):  # which reach a whole group, and the grant that runs is to end first
        signal.signal(ending, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    with contextlib.suppress(ImportError):
        import cv2

        # One core a process: threads of several would only get in each other's way.
        cv2.setNumThreads(1)


def _end_with(parent: Any) -> None:
    parent.join()
    os._exit(1)


def _within(task: Present, order: Order, limit_s: float) -> tuple[Trial, ...]:
    """The task, in a process that does not outlive the limit."""
    faulthandler.dump_traceback_later(limit_s, exit=True, file=sys.__stderr__)
    try:
        return task(order)
    finally:
        faulthandler.cancel_dump_traceback_later()
