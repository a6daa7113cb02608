"""decorators.py -- track_exception, log_execution_time, log_function_call; for functions and coroutines alike."""
from __future__ import annotations

import functools
import inspect
import time
from contextlib import contextmanager
from typing import Any, Callable, Iterator, Optional, TypeVar, Union, overload

from . import context, tracker
from .enums import Origin, Severity

F = TypeVar("F", bound=Callable[..., Any])
Around = Callable[[], Any]  # makes a context manager that is open while the function runs


def name_of(function: Callable[..., Any]) -> str:
    """module.function, as a handler is named; of a script the function alone."""
    module = getattr(function, "__module__", "") or ""
    name = getattr(function, "__qualname__", None) or type(function).__name__
    name = name.replace("<locals>.", "")
    return name if module in ("", "__main__") else f"{module}.{name}"


def _wrap(function: F, around: Callable[[], Any]) -> F:
    if inspect.iscoroutinefunction(function):
        @functools.wraps(function)
        async def awaited(*args: Any, **kwargs: Any) -> Any:
            with around():
                return await function(*args, **kwargs)
        return awaited  # type: ignore[return-value]

    @functools.wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        with around():
            return function(*args, **kwargs)
    return called  # type: ignore[return-value]


@overload
def track_exception(function: F) -> F: ...
@overload
def track_exception(*, origin: Union[Origin, str, None] = None, severity: Union[Severity, str, None] = None,
                    handler: Optional[str] = None, **fields: Any) -> Callable[[F], F]: ...


def track_exception(function: Optional[F] = None, *, origin: Union[Origin, str, None] = None,
                    severity: Union[Severity, str, None] = None, handler: Optional[str] = None,
                    **fields: Any) -> Any:
    """Records what the function raises, and raises it on."""
    def decorate(function: F) -> F:
        named = handler or name_of(function)

        @contextmanager
        def around() -> Iterator[None]:
            try:
                yield
            except Exception as e:
                tracker.record({"origin": origin, "severity": severity, "handler": named, **fields}, e)
                raise
        return _wrap(function, around)
    return decorate(function) if function is not None else decorate


@overload
def log_execution_time(function: F) -> F: ...
@overload
def log_execution_time(*, slow_seconds: Optional[float] = None) -> Callable[[F], F]: ...


def log_execution_time(function: Optional[F] = None, *, slow_seconds: Optional[float] = None) -> Any:
    """A breadcrumb with the time it took; slower than `slow_seconds` is an event of severity warning."""
    def decorate(function: F) -> F:
        named = name_of(function)

        @contextmanager
        def around() -> Iterator[None]:
            start = time.perf_counter()
            try:
                yield
            finally:
                seconds = time.perf_counter() - start
                context.add_breadcrumb(f"{named} took {seconds * 1000:.1f} ms", "timing",
                                       data={"duration_ms": round(seconds * 1000, 1)})
                if slow_seconds is not None and seconds > slow_seconds:
                    tracker.record({"message": f"{named} is slow", "severity": Severity.WARNING, "handler": named,
                                    "payload": {"duration_ms": round(seconds * 1000, 1),
                                                "slow_ms": round(slow_seconds * 1000, 1)}})
        return _wrap(function, around)
    return decorate(function) if function is not None else decorate


def log_function_call(function: F) -> F:
    """A breadcrumb for each call. Arguments stay out: they are whose the user is."""
    named = name_of(function)

    @contextmanager
    def around() -> Iterator[None]:
        context.add_breadcrumb(named, "call")
        yield
    return _wrap(function, around)
