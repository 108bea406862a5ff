# One image for the API, the worker and the migration; the command says which. Python and a virtual environment
# with the built dashboard in it, no more.
#   docker build -t vidro:local .
#   docker build -t vidro-gpu:local --build-arg LOCK=requirements-gpu.lock .

FROM python:3.13-slim AS dashboard
ENV PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
COPY requirements-node.lock ./
COPY scripts/setup-node scripts/
RUN PYTHON=python scripts/setup-node
ENV PATH=/src/.node/bin:$PATH
COPY dashboard/package.json dashboard/package-lock.json dashboard/.npmrc dashboard/
WORKDIR /src/dashboard
RUN --mount=type=cache,target=/root/.npm npm ci
COPY dashboard ./
RUN npm run build

FROM python:3.13-slim AS build
ARG LOCK=requirements.lock
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
RUN python -m venv --without-pip /opt/vidro
# The dependencies before the source, which changes far more often: their layer is made once.
COPY ${LOCK} requirements.lock
RUN --mount=type=cache,target=/root/.cache/pip \
    pip --python /opt/vidro/bin/python install --require-hashes -r requirements.lock
COPY . .
# No page, no wheel: hatch_build.py sees to it.
COPY --from=dashboard /src/service/dashboard service/dashboard
RUN pip --python /opt/vidro/bin/python install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.13-slim
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Vidro" \
      org.opencontainers.image.description="Model training in the open, over HTTP" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# A number that nobody on the host has. A new volume on /data takes its owner from this folder.
RUN groupadd --gid 10001 vidro \
 && useradd --uid 10001 --gid vidro --no-create-home --home-dir /tmp --shell /usr/sbin/nologin vidro \
 && install --directory --owner=vidro --group=vidro --mode=0750 /data
COPY --from=build /opt/vidro /opt/vidro
# Kernels for the processor at hand lie beside the code; a process that may not write there copies them to /data.
RUN ["/opt/vidro/bin/vidro", "warm-up"]
# The root may be read-only: pip compiled every module at build time, and nothing writes but to /data and /tmp.
ENV PATH=/opt/vidro/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 HOME=/tmp VIDRO_DATA=/data
USER 10001:10001
WORKDIR /data
VOLUME ["/data"]
EXPOSE 8000
# The API's; a worker's is in docker-compose.yml.
HEALTHCHECK --interval=10s --timeout=5s --start-period=90s --retries=3 \
  CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
ENTRYPOINT ["vidro"]
CMD ["serve"]
