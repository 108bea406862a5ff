"""The seconds that a run will still take, from how fast it has been of late."""

from dataclasses import dataclass, field

MOST_MARKS = 32


@dataclass
class Eta:
    """The estimated time of arrival: it remembers when the run was how far, more thinly the longer it lasts, and goes by the
    pace of the latter half. So it follows a machine that slows down, and is not misled by what only some epochs do.
    """

    marks: list[tuple[float, float]] = field(default_factory=list)
    spacing: float = 0.0

    def mark(self, seconds: float, fraction: float) -> None:
        """The run had come to that fraction of its epochs after so many seconds of training."""
        if self.marks and seconds - self.marks[-1][0] < self.spacing:
            return
        self.marks.append((seconds, fraction))
        if len(self.marks) > MOST_MARKS:
            self.marks = self.marks[::2]
            self.spacing = (seconds - self.marks[0][0]) / MOST_MARKS

    def remaining(self, seconds: float, fraction: float) -> float | None:
        """Seconds of training from now to the last epoch; None while nothing can be said."""
        if not self.marks:
            return None
        half = (self.marks[0][0] + seconds) / 2
        since, behind = min(self.marks, key=lambda mark: abs(mark[0] - half) if mark[1] < fraction else float("inf"))
        if seconds <= since or fraction <= behind:
            return None
        return (seconds - since) / (fraction - behind) * (1 - fraction)
