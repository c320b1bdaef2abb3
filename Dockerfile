# The service on a PostgreSQL of yours: no embedded server, no demonstration and no simulator in here
# (LEVITATE_CLIO_DATABASE_URL is required). Build it with `docker build --target service .`
# For a `worker` container switch the health check off, for nothing listens there: --no-healthcheck.
# A digest instead of the tag: --build-arg BASE=python:3.11-slim@sha256:…
ARG BASE=python:3.11-slim
FROM ${BASE} AS build
WORKDIR /source
COPY requirements-build.lock ./
RUN pip install --no-cache-dir --require-hashes --requirement requirements-build.lock
COPY pyproject.toml README.md LICENSE ./
COPY app ./app
COPY migrations ./migrations
RUN python -m hatchling build --target wheel --directory /wheel

FROM ${BASE} AS service
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /srv
COPY requirements-run.lock ./
RUN pip install --no-cache-dir --require-hashes --requirement requirements-run.lock \
    && useradd --system --no-create-home levitate
RUN --mount=type=bind,from=build,source=/wheel,target=/wheel \
    pip install --no-cache-dir --no-deps --no-index /wheel/*.whl
USER levitate
EXPOSE 8000
HEALTHCHECK --start-period=30s CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=3)"]
# A clean end may wait for a request to Clio: give it --stop-timeout 90.
ENTRYPOINT ["levitate-clio"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
