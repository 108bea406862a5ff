"""Slices of a job's loss, at once or as jobs of their own. Knows no HTTP."""

from collections.abc import Mapping

from engine.errors import TooMuchWork
from engine.glass.loss_slices import LossSlice
from service.schemas.job_landscapes import JobLandscape
from service.work import SECOND, work_of
from store import jobs
from store.connections import Store
from store.keys import Caller
from store.settings import Settings
from store.slices import Opened

REMEDY = "ask for fewer points a side, or for fewer rows"


def landscape_at_once(store: Store, caller: Caller, job_id: str, wanted: LossSlice) -> JobLandscape | None:
    """The slice that is asked for; None where it would take more than about a second of one core, or than one call may, and is
    to be a job of its own. Raises NotFound, Removed, or InputError, which names the field, or `/job_id`.
    """
    with store.database.reading() as session:
        job = jobs.get(session, job_id, caller.sees)
        opened = Opened.at(session, store.files, job, wanted)
        if not _is_small(store.settings, opened.count_work()):
            return None
        opened.load_run(session, store.files, job)
    return JobLandscape(**opened.whole())


def _is_small(setting: Settings, counts: Mapping[str, int]) -> bool:
    """Whether it can be worked out within a call. Raises TooMuchWork where it cannot be within a job, either."""
    work = work_of(counts)
    seconds = work / SECOND
    if seconds > setting.slice_seconds:
        counted = " and ".join(f"{count:,} {unit}" for unit, count in counts.items())
        detail = (
            f"{counted} are too many for one job: some {seconds:,.0f} seconds of one core, where VIDRO_SLICE_SECONDS allows "
            f"{setting.slice_seconds:,.0f}; {REMEDY}"
        )
        raise TooMuchWork([("/resolution", detail)])
    return work <= min(SECOND, setting.max_work)
