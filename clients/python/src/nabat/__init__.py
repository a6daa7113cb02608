"""__init__.py -- Nabat's client for Python: errors of bots, workers and web apps, to the service that rings.

    import nabat
    nabat.init("http://KEY@nabat.example:8080/1")
    nabat.ErrorTracker.log(origin=nabat.BotErrorEvent.Origin.CELERY, handler="render", exc=e)

Frameworks: nabat.aiogram, nabat.celery, nabat.asgi (FastAPI, Starlette), nabat.django; NabatHandler for logging.
"""
from .context import add_breadcrumb, bind, scope
from .decorators import log_execution_time, log_function_call, track_exception
from .enums import BotErrorEvent, Origin, Severity, Status
from .logs import NabatHandler
from .settings import VERSION as __version__
from .tracker import ErrorTracker, flush, init, stats

__all__ = ["BotErrorEvent", "ErrorTracker", "NabatHandler", "Origin", "Severity", "Status", "__version__",
           "add_breadcrumb", "bind", "flush", "init", "log_execution_time", "log_function_call", "scope", "stats",
           "track_exception"]
