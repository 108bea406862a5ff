"""The glass box: what there is, with its formulas."""

from functools import lru_cache

from fastapi import APIRouter

from engine.catalog import catalog
from service.dependencies import Reader
from service.responses import problems
from service.schemas import CatalogEntry

router = APIRouter(prefix="/v1", tags=["glass box"])


@router.get("/catalog", responses=problems())
def get_catalog(caller: Reader) -> dict[str, list[CatalogEntry]]:
    """Every model, loss, optimizer, schedule, initializer, activation, scaler and metric, by family."""
    return _catalog()


@lru_cache
def _catalog() -> dict[str, list[CatalogEntry]]:
    return {family: [CatalogEntry(**entry) for entry in entries] for family, entries in catalog().items()}
