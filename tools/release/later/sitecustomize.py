"""With this folder in PYTHONPATH, a process takes it to be 40 days and some hours later."""

import datetime
import time
from typing import Any

SECONDS = 40 * 24 * 3600 + 5 * 3600

_time, _time_ns = time.time, time.time_ns
_local, _utc, _text, _format = time.localtime, time.gmtime, time.ctime, time.strftime


def _now() -> float:
    return _time() + SECONDS


class _Datetime(datetime.datetime):
    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> Any:
        return cls.fromtimestamp(_now(), tz)

    @classmethod
    def utcnow(cls) -> Any:
        return cls.fromtimestamp(_now(), datetime.UTC).replace(tzinfo=None)

    today = now


class _Date(datetime.date):
    @classmethod
    def today(cls) -> Any:
        return cls.fromtimestamp(_now())


changed: dict[Any, dict[str, Any]] = {
    time: {
        "time": _now,
        "time_ns": lambda: _time_ns() + SECONDS * 10**9,
        "localtime": lambda at=None: _local(_now() if at is None else at),
        "gmtime": lambda at=None: _utc(_now() if at is None else at),
        "ctime": lambda at=None: _text(_now() if at is None else at),
        "strftime": lambda form, at=None: _format(form, _local(_now()) if at is None else at),
    },
    datetime: {"datetime": _Datetime, "date": _Date},
}
for module, names in changed.items():
    for name, value in names.items():
        setattr(module, name, value)
