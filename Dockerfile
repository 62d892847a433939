# The application alone: no compiler, no test tools, not root.
FROM python:3.13-slim AS build
WORKDIR /src
RUN python -m venv /app
COPY pyproject.toml requirements.lock README.md LICENSE ./
COPY skileez skileez
# The one lock file also lists the tools for tests; as constraints it pins what is installed
# and installs nothing more. pip takes no hashes there, so they are left out.
RUN sed -E 's/ *\\$//; /^ *--hash/d' requirements.lock > constraints.txt \
    && /app/bin/pip install --no-cache-dir --constraint constraints.txt '.[postgres]'

FROM python:3.13-slim
ENV PATH=/app/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
RUN useradd --system --uid 10001 --home-dir /data --create-home skileez
COPY --from=build /app /app
USER skileez
WORKDIR /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/livez', timeout=4)"]
ENV HOST=0.0.0.0 PORT=8000
# Migrating is safe to run again and takes a lock, so every start may do it.
CMD ["sh", "-c", "skileez migrate && exec skileez serve"]
