"""Brazilian Portuguese: each English text or template, and what stands for it. The words are those of docs/languages.md.

A text of the engine or the store that is missing here fails tests/service/test_portuguese.py, which names it.
"""

from service.portuguese.catalog import CATALOG
from service.portuguese.diagnosis import DIAGNOSIS
from service.portuguese.files import FILES
from service.portuguese.jobs import JOBS
from service.portuguese.layers import LAYERS
from service.portuguese.samples import SAMPLES
from service.portuguese.stored import STORED
from service.portuguese.warnings import WARNINGS


def _with_summaries(texts: dict[str, str]) -> dict[str, str]:
    """The texts, and the first line of each that has several: the summary of what it describes."""
    several = {english: portuguese for english, portuguese in texts.items() if "\n\n" in english}
    return texts | {english.partition("\n")[0]: portuguese.partition("\n")[0] for english, portuguese in several.items()}


PORTUGUESE_TEXTS = _with_summaries({**CATALOG, **LAYERS, **JOBS, **SAMPLES, **WARNINGS, **DIAGNOSIS, **FILES, **STORED})
