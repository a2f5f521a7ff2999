"""What became of a short message, for people and scripts."""

from __future__ import annotations

from typing import Any

from sipua.result import RequestResult


class SmsResult(RequestResult):
    """What became of a short message, and of the registration it stands on.

    ``submitted`` of its ``parts`` were taken by the service centre, ``delivered``
    of them by the recipient, as far as reports came. ``cause`` is RP-Cause of a
    refusal (TS 24.011 §8.2.5.4).
    """

    __slots__ = ("cause", "delivered", "parts", "reports", "submitted")

    def __init__(self, target: str) -> None:
        super().__init__("MESSAGE", target)
        self.parts: int | None = None
        self.submitted = 0
        self.delivered = 0
        self.cause: int | None = None
        self.reports: list[str] = []

    def to_json(self) -> dict[str, Any]:
        """The document of a request, and what is known of the message."""
        return {
            **super().to_json(),
            "parts": self.parts,
            "submitted": self.submitted,
            "delivered": self.delivered,
            "cause": self.cause,
            "reports": self.reports,
        }
