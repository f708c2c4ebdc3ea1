# One container: server and worker. Data lives in /data; the port is published by compose.
FROM python:3.11.15-slim
RUN useradd --create-home --uid 10001 kb && mkdir /data && chown kb /data
WORKDIR /app
# `llm`: with PyTorch and what reads checkpoints.
ARG LOCK=runtime
COPY requirements/${LOCK}.lock requirements/
# Where pip finds PyTorch's CPU wheels (see the README); empty uses pip's own configuration.
ARG PIP_EXTRA_INDEX_URL=""
RUN PIP_EXTRA_INDEX_URL="$PIP_EXTRA_INDEX_URL" pip install --no-cache-dir --no-compile --require-hashes -r requirements/${LOCK}.lock
COPY . .
RUN pip install --no-cache-dir --no-deps --no-build-isolation --editable .
# Quantised models run several times faster in the compiled kernel; the machine that runs the
# image may have another CPU than this one, so every variant is made.
ENV LLM_KERNEL_DIR=/opt/llm-kernels
RUN apt-get update && apt-get install -y --no-install-recommends g++ \
  && python -m llm.kernels.build --all \
  && apt-get purge -y --auto-remove g++ && rm -rf /var/lib/apt/lists/*
USER kb
ENV KB_DATA_DIR=/data PYTHONUNBUFFERED=1
VOLUME /data
EXPOSE 8000
# KB_HOST and KB_API_KEYS__… come from the environment: without a key the server refuses to bind
# to an address that other machines can reach.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
CMD ["kb", "serve"]
