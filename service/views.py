"""The addresses of the dashboard's views: the same page answers at each, and shows what its address says."""

from starlette.routing import compile_path

VIEWS = (
    "/",
    "/datasets",
    "/datasets/{id}",
    "/jobs",
    "/jobs/{id}",
    "/compare",
    "/models",
    "/models/{id}",
    "/glass",
    "/glass/{page}",
    "/lessons",
    "/lessons/{lesson}",
)
DASHBOARD = tuple(compile_path(view)[0] for view in VIEWS)
